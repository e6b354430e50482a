"""The contract's own numbers of chats and topics, given out without gaps being filled again."""

import sqlalchemy as sa

from app.kinds.chat_session.tables import chat_number

_NAME: sa.BindParameter[str] = sa.bindparam("of")
_NEXT = (
    sa.update(chat_number)
    .where(chat_number.c.name == _NAME)
    .values(head=chat_number.c.head + sa.bindparam("count", type_=sa.Integer))
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
    """As `next_number`, for `count` numbers in a row; the first of them."""
    return int(connection.execute(_NEXT, {"of": of, "count": count}).scalar_one()) - count + 1


def reach_number(connection: sa.Connection, of: str, given: int) -> None:
    """Take note of a number that came from outside, so that it is not given out again."""
    connection.execute(_REACH, {"of": of, "given": given})
