"""Named queries over chats, the queue, and users' ranks."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.connections.tables import cannot_of, connection_of
from app.core.errors import AlreadyExists
from app.directory.tables import app_user, customer
from app.interactions.holders import works_on
from app.interactions.repository.kinds import KindRepository
from app.interactions.tables import interaction, message
from app.kinds.chat_session.model.session import CLOSED, ENDED, KIND, QUEUES, ChatSession, ChatSessionStatus
from app.kinds.chat_session.repository.numbers import next_number, next_numbers, reach_number
from app.kinds.chat_session.tables import chat_session, chat_topic, chat_topic_member
from app.storage.constructs import IntList, among
from app.storage.tables import Timestamp

_NUMBERS = "session"
_KEY: sa.BindParameter[int] = sa.bindparam("key")
_ID_OF_KEY = sa.select(chat_session.c.id).where(chat_session.c.chat_session_id == _KEY)
# Weaker than FOR UPDATE: foreign keys to the user or the topic do not wait for it, so they cannot deadlock.
_LOCK_USER = sa.select(app_user.c.id).where(app_user.c.id == _KEY).with_for_update(key_share=True)
_LOCK_CUSTOMER = sa.select(customer.c.id).where(customer.c.id == _KEY).with_for_update(key_share=True)
_RANKS = sa.select(chat_session.c.rank).where(chat_session.c.rank_user_id == _KEY)
_PENDING = (
    sa.select(sa.func.count())
    .select_from(chat_session)
    .where(chat_session.c.topic_id == _KEY, chat_session.c.status == ChatSessionStatus.IN_QUEUE.value)
)
_OF_CUSTOMER = (
    sa.select(chat_session.c.id)
    .join(interaction, interaction.c.id == chat_session.c.id)
    .where(
        interaction.c.customer_id == _KEY,
        chat_session.c.topic_id == sa.bindparam("topic"),
        chat_session.c.status.not_in(
            [status.value for status in sorted(ENDED) if status is not ChatSessionStatus.FINISHED]
        ),
    )
    .order_by(chat_session.c.status == ChatSessionStatus.FINISHED.value, chat_session.c.id.desc())
    .limit(1)
)
_MARK_FETCHED = (
    sa.update(message)
    .where(message.c.interaction_id == _KEY, message.c.read_by_customer.is_(False))
    .values(read_by_customer=True, updated_at=sa.bindparam("now", type_=Timestamp))
)


_USER: sa.BindParameter[int] = sa.bindparam("user", type_=sa.BigInteger)
_TOPIC: sa.BindParameter[int] = sa.bindparam("topic", type_=sa.BigInteger)
_OFFERED = (
    sa.select(chat_session.c.id)
    .where(
        chat_session.c.transfer_to_id == _USER,
        sa.or_(sa.cast(_TOPIC, sa.BigInteger).is_(None), chat_session.c.topic_id == _TOPIC),
    )
    .order_by(chat_session.c.id)
)
_HELD_IN = (
    sa.select(chat_session.c.id)
    .join(interaction, interaction.c.id == chat_session.c.id)
    .where(
        interaction.c.assignee_id == _USER,
        chat_session.c.topic_id == _TOPIC,
        chat_session.c.status.not_in([status.value for status in sorted(CLOSED)]),
    )
    .order_by(chat_session.c.id)
)
_OPEN_IN = (
    sa.select(interaction.c.assignee_id, chat_session.c.transfer_to_id)
    .join(chat_session, chat_session.c.id == interaction.c.id)
    .where(
        chat_session.c.topic_id == _TOPIC,
        chat_session.c.status.in_([status.value for status in ChatSessionStatus if status not in CLOSED]),
        sa.or_(interaction.c.assignee_id.is_not(None), chat_session.c.transfer_to_id.is_not(None)),
    )
)


def _may_respond(user: Any, topic: Any) -> sa.ColumnElement[bool]:
    """The condition that the user may respond in the topic. A topic without responders is open to everybody."""
    responder = sa.exists().where(chat_topic_member.c.topic_id == topic, chat_topic_member.c.can_respond)
    return sa.or_(~responder, responder.where(chat_topic_member.c.user_id == user))


_MISSED_BY = (
    sa.select(chat_session.c.id)
    .join(interaction, interaction.c.id == chat_session.c.id)
    .where(
        chat_session.c.topic_id.in_(sa.select(chat_topic.c.id).where(_may_respond(_USER, chat_topic.c.id))),
        sa.or_(sa.cast(_TOPIC, sa.BigInteger).is_(None), chat_session.c.topic_id == _TOPIC),
        chat_session.c.status.in_(sorted(QUEUES - {ChatSessionStatus.IN_QUEUE})),
        interaction.c.assignee_id.is_(None),
    )
    .order_by(interaction.c.attention_since, chat_session.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_PRESENT_FOR = (
    sa.select(app_user.c.id)
    .where(app_user.c.present, works_on(app_user.c, KIND), _may_respond(app_user.c.id, _TOPIC))
    .limit(1)
)
_RESPONDERS = sa.select(chat_topic.c.responders).where(chat_topic.c.id == _TOPIC)


_CANNOT = cannot_of(interaction)
_CLAIMABLE = sa.or_(_CANNOT.is_(None), (" " + _CANNOT + " ").not_like("% CLAIM %"))
"""The condition that the chat's connection, if it has one, can claim it."""


def _first_of(statuses: Collection[ChatSessionStatus]) -> sa.Select[tuple[int]]:
    topic = sa.cast(sa.bindparam("topic"), sa.BigInteger)
    user = sa.cast(sa.bindparam("user"), sa.BigInteger)
    of_all = sa.cast(sa.bindparam("of_all"), sa.Boolean)
    return (
        sa.select(interaction.c.id)
        .join(chat_session, chat_session.c.id == interaction.c.id)
        .where(
            chat_session.c.status.in_(sorted(statuses)),
            interaction.c.assignee_id.is_(None),
            _CLAIMABLE,
            sa.or_(topic.is_(None), chat_session.c.topic_id == topic),
            sa.or_(user.is_(None), _may_respond(user, chat_session.c.topic_id)),
            sa.or_(of_all, among(interaction.c.team_id, sa.bindparam("teams", type_=IntList()))),
        )
        .order_by(interaction.c.attention_level, interaction.c.attention_since, interaction.c.id)
        .limit(1)
        # Both rows: a row without a lock would be read as it was before another unit changed it.
        .with_for_update(of=[interaction, chat_session], skip_locked=True)
    )


_FIRST_OF_QUEUE = _first_of([ChatSessionStatus.IN_QUEUE])
_FIRST_MISSED = _first_of(QUEUES - {ChatSessionStatus.IN_QUEUE})


class ChatSessionRepository(KindRepository[ChatSession]):
    """Whole chats. `chat_session_id` 0 means that the number is still to be given out."""

    table = chat_session
    model = ChatSession
    related = {  # noqa: RUF012 - declared by the base
        "responders": chat_topic.c.responders,
        "connection_id": connection_of(interaction),
        "cannot": cannot_of(interaction),
    }

    @classmethod
    def source(cls) -> sa.FromClause:
        return super().source().outerjoin(chat_topic, chat_topic.c.id == chat_session.c.topic_id)

    def add(self, new: ChatSession) -> ChatSession:
        """Insert a chat; returns it with its id and its contract's number.

        Raises AlreadyExists for a number that another chat has."""
        if new.chat_session_id == 0:
            return super().add(replace(new, chat_session_id=next_number(self.connection, _NUMBERS)))
        taken = AlreadyExists("There already is a chat with this number.", path=("chat_session_id",))
        with self._refusing(taken):
            stored = super().add(new)
        reach_number(self.connection, _NUMBERS, new.chat_session_id)
        return stored

    def reserve_numbers(self, count: int) -> int:
        """Reserve `chat_session_id`s for a bulk load; returns the first."""
        return next_numbers(self.connection, _NUMBERS, count)

    def id_of_key(self, chat_session_id: int) -> int | None:
        """The surrogate of the chat with the contract's own number."""
        row = self._one(_ID_OF_KEY, {"key": chat_session_id})
        return None if row is None else int(row[0])

    def first_of_queue(
        self, topic_id: int | None, user_id: int | None, teams: Collection[int] | None = None
    ) -> int | None:
        """Lock the first waiting chat that the user (None: anybody) may take, of one topic or all, of these teams or
        all.

        A queued chat comes before one that asked for a human when nobody was there.

        Returns its surrogate. A chat that another unit has locked is skipped."""
        given = {"topic": topic_id, "user": user_id, "of_all": teams is None, "teams": sorted(teams or ())}
        row = self._one(_FIRST_OF_QUEUE, given) or self._one(_FIRST_MISSED, given)
        return None if row is None else int(row[0])

    def lock_ranks(self, user_id: int) -> Sequence[int]:
        """Lock the user; returns the ranks of its active chats. No other unit changes them until the unit ends."""
        self._one(_LOCK_USER, {"key": user_id})
        return [row[0] for row in self._all(_RANKS, {"key": user_id})]

    def count_pending(self, topic_id: int) -> int:
        """How many chats wait in the topic's queue. Lock the topic first, or the number may be out of date at once."""
        return int(self.connection.execute(_PENDING, {"key": topic_id}).scalar_one())

    def lock_customer(self, customer_id: int) -> bool:
        """Lock the customer until the unit ends, so that two messages at once do not open two chats.

        Returns False when the customer does not exist."""
        return self._one(_LOCK_CUSTOMER, {"key": customer_id}) is not None

    def of_customer(self, customer_id: int, topic_id: int) -> int | None:
        """The customer's chat in the topic that gets its messages; an active chat before an ended one."""
        row = self._one(_OF_CUSTOMER, {"key": customer_id, "topic": topic_id})
        return None if row is None else int(row[0])

    def offered_to(self, user_id: int, topic: int | None = None) -> Sequence[int]:
        """The chats that are being transferred to the user, of one topic or all."""
        return [row[0] for row in self._all(_OFFERED, {"user": user_id, "topic": topic})]

    def held_in(self, topic: int, user_id: int) -> Sequence[int]:
        """The topic's chats that are not closed and that the user holds."""
        return [row[0] for row in self._all(_HELD_IN, {"user": user_id, "topic": topic})]

    def users_in(self, topic: int) -> Sequence[int]:
        """The users who hold a chat of the topic that is not closed, or to whom one is being transferred."""
        found = self._all(_OPEN_IN, {"topic": topic})
        return sorted({user for row in found for user in row if user is not None})

    def missed_by(self, user_id: int, most: int, topic: int | None = None) -> Sequence[int]:
        """The chats that asked for a human when nobody was there, of one topic or of all topics where the user
        responds; longest waiting first."""
        return [row[0] for row in self._all(_MISSED_BY, {"user": user_id, "most": most, "topic": topic})]

    def present_for(self, topic: int) -> int | None:
        """A user who is present and may respond in the topic; None when there is none."""
        row = self._one(_PRESENT_FOR, {"topic": topic})
        return None if row is None else int(row[0])

    def responders(self, topic: int) -> tuple[int, ...]:
        """The users who may respond in the topic."""
        row = self._one(_RESPONDERS, {"topic": topic})
        return () if row is None else tuple(row[0])

    def mark_fetched(self, session_id: int, now: datetime) -> None:
        """Record that the customer has read every message to it."""
        self.connection.execute(_MARK_FETCHED, {"key": session_id, "now": now})
