"""How many statements a command executes, and that they do not grow with what there is."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from tests.graph.exchanges import of, receive, text
from tests.graph.people import store_people
from tests.graph.running import Graph, running_graph

pytestmark = [pytest.mark.anyio, pytest.mark.both_databases]

CASES: Mapping[str, tuple[str, Mapping[str, Any], Mapping[str, Any], int, int]] = {
    "updateSession, tags": ("updateSession", {"tags": ["a"]}, {"tags": ["b"]}, 5, 2),
    "updateSession, a flag": ("updateSession", {"needAttention": True}, {"needAttention": False}, 3, 2),
    "updateSession, nothing new": ("updateSession", {"tags": ["a"]}, {"tags": ["a"]}, 1, 1),
    "raiseAttention": ("raiseAttention", {"level": "HIGH"}, {"level": "URGENT"}, 2, 2),
    "setLabels": ("setLabels", {"labels": ["a"]}, {"labels": ["b"]}, 5, 3),
    "addNote": ("addNote", {"text": "x"}, {"text": "y"}, 3, 3),
    "sendMessage": ("sendMessage", {"content": text("x")}, {"content": text("y")}, 3, 3),
}
"""A mutation on a Session with its input before and the one that is counted, and its statements on SQLite and on
PostgreSQL. What begins and ends transactions is not among them, nor on SQLite the insertion of a group's events."""


@pytest.fixture
async def graph(database_url: str) -> AsyncIterator[Graph]:
    """One customer with a Session."""
    async with running_graph(database_url) as opened:
        people = await store_people(opened)
        await receive(opened, of(people.customers["zoe_session"], "SESSION"), text("hello"))
        yield opened


@pytest.mark.parametrize("name", CASES)
async def test_statements_of_a_command_are_few_and_do_not_grow(graph: Graph, name: str) -> None:
    mutation, before, counted, on_sqlite, on_postgresql = CASES[name]
    counts = []
    for times in (1, 20):
        for number in range(times):
            await graph.do("addNote", {"id": "ses_1", "text": f"note {number}"})
            await graph.do("sendMessage", {"id": "ses_1", "content": text(f"message {number}")})
        await graph.do(mutation, {"id": "ses_1", **before})
        graph.statements.clear()
        await graph.do(mutation, {"id": "ses_1", **counted})
        counts.append(len(graph.statements))
    wanted = on_sqlite if graph.database.dialect.name == "sqlite" else on_postgresql
    assert counts == [wanted, wanted], "\n".join(graph.statements)
