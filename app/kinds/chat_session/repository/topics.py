"""Named queries over chat topics and their members."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from app.core.errors import AlreadyExists, Conflict, NotFound
from app.directory.tables import app_user
from app.interactions.holders import works_on
from app.interactions.repository.rows import differing, fields_of_row, read_row, written
from app.kinds.chat_session.model.session import KIND
from app.kinds.chat_session.model.topic import ChatTopic, ChatTopicMember
from app.kinds.chat_session.repository.numbers import next_number, reach_number
from app.kinds.chat_session.tables import chat_session, chat_topic, chat_topic_member
from app.storage.repository import Repository

_NUMBERS = "topic"
_KEY: sa.BindParameter[int] = sa.bindparam("key")
_OWN = fields_of_row(ChatTopic, [name for name in chat_topic.columns.keys() if name != "id"])  # noqa: SIM118
_MEMBER_OWN = fields_of_row(ChatTopicMember, [name for name in chat_topic_member.columns.keys() if name != "id"])  # noqa: SIM118
_SELECT = sa.select(chat_topic.c.id, *(chat_topic.c[field.name] for field in _OWN))
_BY_ID = _SELECT.where(chat_topic.c.id == _KEY)
_BY_KEY = _SELECT.where(chat_topic.c.topic_id == _KEY)
_BY_UPSTREAM_KEY = _SELECT.where(chat_topic.c.upstream_key == _KEY)
_OF_TOPIC = chat_topic.c.id == _KEY
_LOCK = sa.select(chat_topic.c.id).where(_OF_TOPIC).with_for_update(key_share=True)
# Units that give out chats hold the responders together, and beside a request, which locks the queue alone.
_LOCK_WITH_RIGHTS = sa.select(chat_topic.c.id).where(_OF_TOPIC).with_for_update()
_HOLD_RESPONDERS = sa.select(chat_topic.c.responders).where(_OF_TOPIC).with_for_update(read=True, key_share=True)
_MEMBERS = (
    sa.select(
        chat_topic_member.c.id,
        *(chat_topic_member.c[field.name] for field in _MEMBER_OWN),
        sa.and_(app_user.c.present, works_on(app_user.c, KIND)),
    )
    .join(app_user, app_user.c.id == chat_topic_member.c.user_id)
    .where(chat_topic_member.c.topic_id == _KEY)
    .order_by(chat_topic_member.c.user_id)
)
_TOPIC_OF_MEMBER = sa.select(chat_topic_member.c.topic_id).where(chat_topic_member.c.id == _KEY)
_USED = sa.select(sa.exists().where(chat_session.c.topic_id == _KEY))
_KNOWN_USER = sa.select(app_user.c.id).where(app_user.c.id == _KEY)


class ChatTopicRepository(Repository):
    """Topics. `topic_id` 0 means that the number is still to be given out."""

    def get(self, topic: int) -> ChatTopic | None:
        """The topic with this surrogate."""
        return _topic(self._one(_BY_ID, {"key": topic}))

    def get_by_key(self, topic_id: int) -> ChatTopic | None:
        """The topic with the contract's own number."""
        return _topic(self._one(_BY_KEY, {"key": topic_id}))

    def get_by_upstream_key(self, key: str) -> ChatTopic | None:
        """The topic of another system with this key."""
        return _topic(self._one(_BY_UPSTREAM_KEY, {"key": key}))

    def lock(self, topic: int) -> bool:
        """Lock the topic until the unit ends, with the length of its queue and its members. Returns False when it does
        not exist."""
        return self._one(_LOCK, {"key": topic}) is not None

    def lock_with_rights(self, topic: int) -> None:
        """Hold the topic until the unit ends, and who may respond in it: no unit that gave out a chat by that goes on
        beside this one."""
        self._one(_LOCK_WITH_RIGHTS, {"key": topic})

    def hold_responders(self, topic: int) -> tuple[int, ...]:
        """The users who may respond in the topic, and who may until the unit ends."""
        row = self._one(_HOLD_RESPONDERS, {"key": topic})
        return () if row is None else tuple(row[0])

    def add(self, new: ChatTopic) -> ChatTopic:
        """Insert a topic; returns it with its id and number. Raises AlreadyExists for a number that another has."""
        given = new.topic_id
        topic = replace(new, topic_id=given or next_number(self.connection, _NUMBERS))
        statement = sa.insert(chat_topic).values(responders=[], **written(topic, _OWN)).returning(chat_topic.c.id)
        with self._refusing(AlreadyExists("There already is a topic with this number.", path=("topic_id",))):
            key = self.connection.execute(statement).scalar_one()
        if given:
            reach_number(self.connection, _NUMBERS, given)
        return replace(topic, id=key)

    def save(self, before: ChatTopic, after: ChatTopic) -> None:
        """Write the columns that differ."""
        values = differing(before, after, _OWN)
        if values:
            self.connection.execute(sa.update(chat_topic).where(chat_topic.c.id == after.id).values(values))

    def remove(self, topic: int) -> None:
        """Delete a topic with its members. Raises Conflict for one that has chats."""
        if self.connection.execute(_USED, {"key": topic}).scalar_one():
            raise Conflict("The topic has chats, so it cannot be deleted.", path=("id",))
        self.connection.execute(sa.delete(chat_topic).where(chat_topic.c.id == topic))

    def members(self, topic: int) -> Sequence[ChatTopicMember]:
        """The topic's members with their presence, by user."""
        return [
            ChatTopicMember(id=row[0], present=bool(row[-1]), **read_row(row[1:-1], _MEMBER_OWN))
            for row in self._all(_MEMBERS, {"key": topic})
        ]

    def topic_of_member(self, member: int) -> int | None:
        """The surrogate of the topic that the member belongs to."""
        row = self._one(_TOPIC_OF_MEMBER, {"key": member})
        return None if row is None else int(row[0])

    def add_member(self, new: ChatTopicMember) -> ChatTopicMember:
        """Insert a member; returns it with its id. Raises NotFound for an unknown user, AlreadyExists for a member."""
        if self._one(_KNOWN_USER, {"key": new.user_id}) is None:
            raise NotFound("There is no such user.", path=("user_id",))
        statement = sa.insert(chat_topic_member).values(written(new, _MEMBER_OWN)).returning(chat_topic_member.c.id)
        with self._refusing(AlreadyExists("The user is a member of the topic already.", path=("user_id",))):
            key = self.connection.execute(statement).scalar_one()
        self._renew_responders(new.topic_id)
        return replace(new, id=key)

    def save_member(self, before: ChatTopicMember, after: ChatTopicMember) -> None:
        """Write the rights that differ."""
        values = differing(before, after, _MEMBER_OWN)
        if values:
            statement = sa.update(chat_topic_member).where(chat_topic_member.c.id == after.id).values(values)
            self.connection.execute(statement)
            self._renew_responders(after.topic_id)

    def remove_member(self, member: ChatTopicMember) -> None:
        """End a membership."""
        self.connection.execute(sa.delete(chat_topic_member).where(chat_topic_member.c.id == member.id))
        self._renew_responders(member.topic_id)

    def _renew_responders(self, topic: int) -> None:
        responders = [member.user_id for member in self.members(topic) if member.can_respond]
        self.connection.execute(sa.update(chat_topic).where(chat_topic.c.id == topic).values(responders=responders))


def _topic(row: sa.Row[Any] | None) -> ChatTopic | None:
    return None if row is None else ChatTopic(id=row[0], **read_row(row[1:], _OWN))
