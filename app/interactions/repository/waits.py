"""Derives from stored messages since when a customer waits."""

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from app.interactions.messages import MessageStatus
from app.interactions.tables import message
from app.interactions.waiting import MOST_UNANSWERED, Bearing, Waiting
from app.storage.fixed import Fixed
from app.storage.repository import Repository

_KEY: sa.BindParameter[int] = sa.bindparam("key", type_=sa.BigInteger)
_AFTER: sa.BindParameter[int] = sa.bindparam("after", type_=sa.BigInteger)
# Spelled as in the partial indexes, so that both planners use them.
_ASKS = sa.text(f"bearing = '{Bearing.ASKS}'")
_ANSWERS = sa.text(f"bearing = '{Bearing.ANSWERS}'")
_IS_ERROR = message.c.status == sa.literal_column(f"'{MessageStatus.ERROR}'")
_LATEST_ANSWER = Fixed(
    sa.select(message.c.id, _IS_ERROR.label("failed"))
    .where(message.c.interaction_id == _KEY, _ANSWERS)
    .order_by(message.c.id.desc())
    .limit(1)
)
_LATEST_DELIVERED = Fixed(
    sa.select(message.c.id)
    .where(message.c.interaction_id == _KEY, _ANSWERS, sa.not_(_IS_ERROR))
    .order_by(message.c.id.desc())
    .limit(1)
)
_UNANSWERED = Fixed(
    sa.select(message.c.created_at)
    .where(message.c.interaction_id == _KEY, _ASKS, message.c.id > _AFTER)
    .order_by(message.c.id)
    .limit(MOST_UNANSWERED)
)
_NEWER = (
    sa.select(message.c.id)
    .where(message.c.interaction_id == _KEY, message.c.id > _AFTER)
    .order_by(message.c.id.desc())
    .limit(1)
)
_NEWER_ASKING, _NEWER_ANSWER = Fixed(_NEWER.where(_ASKS)), Fixed(_NEWER.where(_ANSWERS))
_STANDING = (
    sa.select(message.c.id)
    .where(message.c.interaction_id == _KEY, message.c.id > _AFTER, _ANSWERS, sa.not_(_IS_ERROR))
    .limit(1)
)
_STANDS_AFTER = Fixed(_STANDING)
_STANDS_OF_USER = Fixed(_STANDING.where(message.c.user_id == sa.bindparam("user", type_=sa.BigInteger)))
_LATEST_ASKING = Fixed(
    sa.select(message.c.id).where(message.c.interaction_id == _KEY, _ASKS).order_by(message.c.id.desc()).limit(1)
)
_ARRIVAL = (
    sa.select(message.c.created_at).where(message.c.interaction_id == _KEY).order_by(message.c.id.desc()).limit(1)
)
_ANSWERED_AT = Fixed(
    sa.select(sa.func.max(message.c.sent_at)).where(message.c.interaction_id == _KEY, _ANSWERS, sa.not_(_IS_ERROR))
)
_LATEST_ASKING_ARRIVAL, _LATEST_ANSWER_ARRIVAL = Fixed(_ARRIVAL.where(_ASKS)), Fixed(_ARRIVAL.where(_ANSWERS))


class Answer(NamedTuple):
    """An answer to a customer, and whether its delivery failed."""

    id: int
    failed: bool


class WaitRepository(Repository):
    """Queries over one interaction's messages in the order of arrival, for its customer's wait."""

    def derive(self, interaction_id: int, settled_id: int | None) -> Waiting:
        """The wait as the stored messages make it; closing has ended it up to the message `settled_id`."""
        latest = self.latest_answer(interaction_id)
        delivered = (
            latest.id if latest is not None and not latest.failed else self._number(_LATEST_DELIVERED, interaction_id)
        )
        after = max(delivered or 0, settled_id or 0)
        moments: list[datetime] = [row[0] for row in self._all(_UNANSWERED, {"key": interaction_id, "after": after})]
        return Waiting(
            since=moments[0] if moments else None,
            unanswered=len(moments),
            failed=latest is not None and latest.failed,
            settled_id=settled_id,
        )

    def latest_answer(self, interaction_id: int) -> Answer | None:
        """The latest answer, delivered or not."""
        row = self._one(_LATEST_ANSWER, {"key": interaction_id})
        return None if row is None else Answer(row.id, bool(row.failed))

    def stands_after(self, interaction_id: int, message_id: int, user_id: int | None = None) -> bool:
        """Whether an answer that was written after this message stands: of anybody, or of the user."""
        given = {"key": interaction_id, "after": message_id}
        if user_id is None:
            return self._one(_STANDS_AFTER, given) is not None
        return self._one(_STANDS_OF_USER, {**given, "user": user_id}) is not None

    def newer_than(self, interaction_id: int, message_id: int) -> int | None:
        """The last message that arrived after this one and asks or answers; None when there is none."""
        given = {"key": interaction_id, "after": message_id}
        rows = [self._one(statement, given) for statement in (_NEWER_ASKING, _NEWER_ANSWER)]
        return max((row[0] for row in rows if row is not None), default=None)

    def latest_arrival(self, interaction_id: int) -> datetime | None:
        """When the last message arrived that asks or answers; None when there is none."""
        rows = [
            self._one(statement, {"key": interaction_id})
            for statement in (_LATEST_ASKING_ARRIVAL, _LATEST_ANSWER_ARRIVAL)
        ]
        return max((row[0] for row in rows if row is not None), default=None)

    def answered_at(self, interaction_id: int) -> datetime | None:
        """The time of the latest answer that was not lost; None when there is none."""
        row = self._one(_ANSWERED_AT, {"key": interaction_id})
        return None if row is None else row[0]

    def latest_asking(self, interaction_id: int) -> int | None:
        """The surrogate of the customer's message that arrived last."""
        return self._number(_LATEST_ASKING, interaction_id)

    def _number(self, statement: Fixed, interaction_id: int) -> int | None:
        row = self._one(statement, {"key": interaction_id})
        return None if row is None else row[0]
