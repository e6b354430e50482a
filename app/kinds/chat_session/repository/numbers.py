"""The contract's own numbers of chats and topics, given out without gaps being filled again."""

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
    """A number never given out before; until the unit ends nobody else gets one, so take it last of all locks."""
    return next_numbers(connection, of, 1)


def next_numbers(connection: sa.Connection, of: str, count: int) -> int:
    """As `next_number`, for `count` numbers in a row; the first of them. Raises Conflict when the contract has no
    more: somebody brought one of the last along."""
    head = connection.execute(_NEXT, {"of": of, "count": count}).scalar()
    if head is None:
        raise Conflict(f"The largest number of a {of} has been given out; give one that is free.")
    return int(head) - count + 1


def reach_number(connection: sa.Connection, of: str, given: int) -> None:
    """Take note of a number that came from outside, so that it is not given out again."""
    connection.execute(_REACH, {"of": of, "given": given})
