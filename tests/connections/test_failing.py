"""Reads of connections that keep failing: listed, and tried again."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.connections.model import NewConnection
from app.connections.model.standing import MANY_TRIES
from app.connections.repository import MirroredRepository
from app.connections.service import create_connection
from app.connections.service.reading import due, note_hint, put_off_mark
from app.core.actor import Actor
from app.registry import CONNECTORS
from app.settings import Settings
from app.storage.work import Work
from tests.conftest import ManualClock
from tests.connections.conftest import ADA
from tests.graph.listening import ears
from tests.graph.running import Graph, open_graph
from tests.kinds.conftest import BO, store_users

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

MANAGER = Actor(user_id=2, name="Bo", permissions=frozenset({"connections:manage"}))
FAILING = "failingReads { totalCount nodes { id upstreamKey attempts reason dueAt } }"
LISTED = f'{{ connection(id: "con_1") {{ state error {{ code action }} {FAILING} }} }}'


@pytest.fixture
async def graph(database_url: str, clock: ManualClock, settings: Settings) -> AsyncIterator[Graph]:
    """Two connections to the bot's inbox, of which nothing has been read."""
    opened = await open_graph(database_url, clock, settings)
    await opened.database.command(store_users)
    for name in ("Bot", "Other"):
        new = NewConnection(system="VOICEBOT", name=name, address="https://bot.example.com", credential="token")
        await opened.database.command(create_connection, ADA, CONNECTORS, new)
    yield opened
    await opened.database.close()


async def fail(graph: Graph, key: str, times: int = MANY_TRIES, connection: int = 1) -> None:
    """Something has changed there, and could not be read so often."""

    def put_off(work: Work) -> None:
        (mark,) = [each for each in work.use(MirroredRepository).due_marks(connection, work.now, 9) if each.key == key]
        put_off_mark(work, connection, mark, "The status x is not known here.")

    await graph.database.command(note_hint, connection, key)
    for _ in range(times):
        await graph.database.command(put_off)
        graph.clock.advance(300)


async def listed(graph: Graph) -> dict[str, Any]:
    return dict((await graph.read(LISTED, MANAGER))["connection"])


async def retry(graph: Graph, **given: object) -> dict[str, Any]:
    return await graph.attempt("retryReads", {"id": "con_1", **given}, "count connection { id }", MANAGER)


async def due_keys(graph: Graph) -> set[str]:
    return {each.key for each in (await graph.database.command(due, 1, 4, 9)).marks}


async def test_reads_that_keep_failing_are_listed_with_their_reasons(graph: Graph) -> None:
    await fail(graph, "17")
    await fail(graph, "18", times=MANY_TRIES - 1)
    await fail(graph, "19", connection=2)
    found = await listed(graph)
    assert found["error"] == {"code": "READS_FAILING", "action": "RETRY_READS"}
    assert found["failingReads"] == {
        "totalCount": 1,
        "nodes": [
            {
                "id": "frd_1",
                "upstreamKey": "17",
                "attempts": MANY_TRIES,
                "reason": "The status x is not known here.",
                "dueAt": "2026-01-05T09:15:16.000000Z",
            }
        ],
    }
    nodes = '{ failing: node(id: "frd_1") { id } waiting: node(id: "frd_2") { id } }'
    assert await graph.read(nodes, MANAGER) == {"failing": {"id": "frd_1"}, "waiting": None}
    assert await graph.read(nodes, BO) == {"failing": None, "waiting": None}


async def test_reads_that_keep_failing_are_tried_again_at_once(graph: Graph) -> None:
    for key in ("17", "18", "20"):
        await fail(graph, key)
    await fail(graph, "19", connection=2)
    await graph.database.command(put_off_all)
    assert await due_keys(graph) == set()
    assert (await retry(graph, readIds=["frd_2", "frd_4"]))["count"] == 1  # the other one is of another connection
    assert await due_keys(graph) == {"18"}
    found = await listed(graph)
    assert [each["upstreamKey"] for each in found["failingReads"]["nodes"]] == ["17", "20"]
    assert (await retry(graph))["count"] == 2
    assert await due_keys(graph) == {"17", "18", "20"}
    assert (await listed(graph))["error"] is None
    assert (await retry(graph))["count"] == 0


def put_off_all(work: Work) -> None:
    """What is due has been tried in vain once more."""
    for mark in work.use(MirroredRepository).due_marks(1, work.now, 9):
        put_off_mark(work, 1, mark, "No.")


async def test_reads_that_do_not_fit_are_refused(graph: Graph) -> None:
    await fail(graph, "17")
    for ids, code, path in (
        (["dlv_1"], "INVALID_INPUT", ["input", "readIds", "0"]),
        (["frd_1"] * 1_001, "TOO_LONG", ["input", "readIds"]),
    ):
        refused = await retry(graph, readIds=ids)
        assert [(each["code"], each["path"]) for each in refused["errors"]] == [(code, path)]
    assert (await listed(graph))["failingReads"]["totalCount"] == 1


async def test_read_that_was_under_way_does_not_undo_that_it_is_tried_again(graph: Graph) -> None:
    await fail(graph, "17")
    (mark,) = await graph.database.command(lambda work: work.use(MirroredRepository).due_marks(1, work.now, 9))
    graph.clock.advance(1)
    assert (await retry(graph))["count"] == 1
    await graph.database.command(put_off_mark, 1, mark, "No.")
    assert await due_keys(graph) == {"17"}
    assert (await listed(graph))["failingReads"]["nodes"] == []


async def test_reads_that_are_tried_again_are_told(graph: Graph, database_url: str) -> None:
    text = "subscription { connectionChanged { topic connectionId connection { error { code } } } }"
    await fail(graph, "17")
    async with ears(graph, database_url) as heard:
        listener = await heard.listen(text, MANAGER)
        await retry(graph)
        assert await listener.next() == {
            "topic": "CONNECTION_READ_QUEUED",
            "connectionId": "con_1",
            "connection": {"error": None},
        }
