"""The contract's numbers of chats and topics, never given out twice."""

import sqlalchemy as sa

from app.core.errors import Conflict
from app.core.numbers import LARGEST_INT
from app.kinds.chat_session.tables import chat_number

_NAME: sa.BindParameter[str] = sa.bindparam("of")
_COUNT = sa.bindparam("count", type_=sa.Integer)
_NEXT = (
    sa.update(chat_number)
    .where(chat_number.c.name == _NAME, chat_number.c.head <= LARGEST_INT - _COUNT)
    .values(head=chat_number.c.head + _COUNT)
    .returning(chat_number.c.head)
)
_REACH = (
    sa.update(chat_number)
    .where(chat_number.c.name == _NAME, chat_number.c.head < sa.bindparam("given"))
    .values(head=sa.bindparam("given"))
)


def next_number(connection: sa.Connection, of: str) -> int:
    """A number that was never given out before. Until the unit ends, no other unit gets one, so take it after all other
    locks."""
    return next_numbers(connection, of, 1)


def next_numbers(connection: sa.Connection, of: str, count: int) -> int:
    """As `next_number`, for `count` consecutive numbers; returns the first. Raises Conflict when the contract has no
    more, because an import brought one of the last numbers."""
    head = connection.execute(_NEXT, {"of": of, "count": count}).scalar()
    if head is None:
        raise Conflict(f"The largest number of a {of} is taken. Give a number that is free.")
    return int(head) - count + 1


def reach_number(connection: sa.Connection, of: str, given: int) -> None:
    """Record a number that came from outside, so that it is not given out again."""
    connection.execute(_REACH, {"of": of, "given": given})
