"""The servers written by hand answer what the graph answers, so that a benchmark compares the same work."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager

import orjson
import pytest

from benchmarks.bulk.loading import load_bulk
from benchmarks.cases import SINGLE
from benchmarks.peers.by_hand import postgresql, sqlite
from benchmarks.peers.by_hand.http import Answer
from benchmarks.peers.equality import data_of
from benchmarks.peers.operations import operations
from tests.graph.running import Graph, running_graph

pytestmark = pytest.mark.anyio

TURNS = 3


@pytest.fixture(scope="module")
async def graph(module_database_url: str) -> AsyncIterator[Graph]:
    async with running_graph(module_database_url) as found:
        await load_bulk(found.database, 200)
        yield found


def by_hand(url: str) -> AbstractAsyncContextManager[Mapping[str, Answer]]:
    return sqlite.opened(url) if url.startswith("sqlite") else postgresql.opened(url)


async def test_reads_are_answered_alike(graph: Graph, module_database_url: str) -> None:
    asked = [each for each in operations(await sessions(graph)) if not each.writes]
    async with by_hand(module_database_url) as answers:
        for operation in asked:
            for request in operation.connections[0][:TURNS]:
                variables = orjson.loads(request.partition(b"\r\n\r\n")[2])["variables"]
                expected = await graph.read(operation.document, **variables)
                assert expected != {"session": None}
                found = orjson.dumps({"data": await answers[operation.document](variables)}, option=orjson.OPT_UTC_Z)
                assert data_of(found) == expected


async def test_an_update_leaves_what_the_graph_shows(graph: Graph, module_database_url: str) -> None:
    (number, key), *_ = await sessions(graph)
    (update,) = (each for each in operations([(number, key)]) if each.writes and each.document)
    before = (await graph.read(SINGLE, key=key))["session"]
    async with by_hand(module_database_url) as answers:
        changed = await answers[update.document]({"input": {"id": number, "tags": ["by hand"], "topics": []}})

    assert changed["updateSession"]["session"]["version"] == before["version"] + 1
    assert (await graph.read(SINGLE, key=key))["session"] == {
        **before,
        "tags": ["by hand"],
        "version": before["version"] + 1,
    }
    assert [each["id"] for each in (await graph.read(TAGGED))["interactions"]["nodes"]] == [number]
    history = await graph.read(HISTORY, key=key)
    assert history["session"]["history"]["nodes"][0]["topic"] == "INTERACTION_UPDATED"


TAGGED = '{ interactions(first: 5, filter: {tags: ["by hand"]}) { nodes { id } } }'
HISTORY = "query($key: UUID!) { session(sessionKey: $key) { history(first: 1) { nodes { topic } } } }"


async def sessions(graph: Graph) -> list[tuple[str, str]]:
    found = await graph.read(
        "{ interactions(first: 20, filter: {kinds: [SESSION]}) { nodes { id ... on Session { sessionKey } } } }"
    )
    return [(node["id"], node["sessionKey"]) for node in found["interactions"]["nodes"]]
