"""The same interactions in a database of each kind, with everything that is in them as Python objects."""

import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from graphql import GraphQLSchema

from app.core.actor import Actor
from app.schema import print_sdl
from app.storage.database import Work
from tests.graph.filled import fill
from tests.graph.people import narrowed
from tests.graph.running import RULES, Graph, running_graph
from tests.graph.state import rows_of
from tests.oracle.executable import executable
from tests.oracle.operations import Pools
from tests.oracle.pools import pools
from tests.oracle.world import World
from tests.postgres import Copies


@cache
def printed_schema() -> GraphQLSchema:
    """The printed schema over plain resolvers."""
    return executable(print_sdl())


@dataclass(frozen=True)
class Pair:
    """One database twice: behind the graph, and as Python objects. `log_cursor` is the end of its event log."""

    graph: Graph
    world: World
    log_cursor: str
    actors: Sequence[Actor]
    pools: Pools


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def urls(
    sqlite_template: Path, postgres_copies: Copies, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sequence[str]]:
    """A fresh database of each kind."""
    path = tmp_path_factory.mktemp("oracle") / "oracle.db"
    shutil.copyfile(sqlite_template, path)
    with postgres_copies.fresh() as postgres:
        yield f"sqlite:///{path}", postgres


@pytest.fixture(scope="module")
async def pairs(urls: Sequence[str]) -> AsyncIterator[list[Pair]]:
    """SQLite and PostgreSQL, filled by the same mutations."""
    async with AsyncExitStack() as stack:
        yield [await _pair(await stack.enter_async_context(running_graph(url))) for url in urls]


async def _pair(graph: Graph) -> Pair:
    filled = await fill(graph)
    # So that each kind has some of every sort that callers with a part of it are compared by.
    for ref in (filled.conversations[1], filled.agent_sessions[1]):
        await graph.do("assignInteraction", {"id": ref, "userId": "usr_2"})
    await graph.do("assignTeam", {"id": filled.chats[0], "teamId": "tea_2"})
    rows = await rows_of(graph.database)
    log_cursor = (await graph.read("{ events { cursor } }"))["events"]["cursor"]
    models = await graph.database.command(_models)
    refusals = {name: rules.refusal for name, rules in RULES.items()}
    world = World(rows, graph.settings, graph.clock.now, models, refusals)
    return Pair(graph, world, log_cursor, [*filled.actors, *narrowed(filled.people)], await pools(graph, world))


def _models(work: Work) -> dict[int, object]:
    found = work.connection.exec_driver_sql("SELECT id, kind FROM interaction").all()
    return {row.id: RULES[row.kind].load(work, row.id) for row in found}
