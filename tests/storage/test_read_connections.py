"""A read gets a connection that has prepared its statement, where one is free."""

from typing import cast

import pytest

from app.storage.liveness import Connection
from app.storage.read_connections import ReadConnections

pytestmark = pytest.mark.anyio


class Fake:
    """A connection that has prepared some statements."""

    def __init__(self, *prepared: str) -> None:
        self.statements = set(prepared)
        self.closed = False

    def is_closed(self) -> bool:
        return self.closed

    def terminate(self) -> None:
        self.closed = True


async def _never() -> Connection:
    raise AssertionError("no connection has to be opened")


def free(*connections: Fake) -> ReadConnections:
    """Connections that are free; the last came back last."""
    those = ReadConnections(_never)
    for each in connections:
        those.give_back(cast("Connection", each))
    return those


async def test_read_gets_the_connection_that_came_back_last_of_those_that_know_its_statement() -> None:
    first, second, third = Fake("a"), Fake("a", "b"), Fake("c")
    those = free(first, second, third)
    assert [those.take("a"), those.take("a"), those.take("a")] == [second, first, third]
    assert (those.take("a"), those.free, those.opened) == (None, 0, 3)


async def test_read_whose_statement_nobody_knows_gets_the_connection_that_came_back_last() -> None:
    first, second = Fake("a"), Fake("b")
    those = free(first, second)
    assert [those.take("c"), those.take()] == [second, first]


async def test_closed_connections_that_know_the_statement_are_not_given_out() -> None:
    first, second = Fake("a"), Fake("b")
    those = free(first, second)
    first.closed = True
    assert [those.take("a"), those.take("a")] == [second, None]
