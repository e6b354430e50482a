"""How much the databases look at while they answer: counted, never timed."""

import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from typing import Any, Protocol, cast

import asyncpg
import orjson
import pytest

from app.core.actor import Actor
from app.execution.operation import Operations
from app.execution.outcome import GraphQLRequest
from app.graph.context import Context
from app.storage.database import Database, Work
from app.storage.query import Query
from benchmarks.bulk.loading import load_bulk
from tests.conftest import fresh_url
from tests.graph.planning import pretend_to_be_large
from tests.graph.running import SCHEMA, Graph, running_graph

SIZES = (400, 1_600)
"""Interactions of databases that are compared: what grows between these two grows with the table."""


class Counting(Protocol):
    """Runs statements, and adds up what the database looked at for them."""

    effort: int

    async def rows(self, query: Query) -> Sequence[Any]: ...

    async def close(self) -> None: ...


class SqliteCounting:
    """Counts the steps of SQLite's virtual machine."""

    def __init__(self, path: str) -> None:
        self.effort = 0
        self._connection = sqlite3.connect(path)
        self._connection.set_progress_handler(self._step, 1)

    def _step(self) -> None:
        self.effort += 1

    async def rows(self, query: Query) -> Sequence[Any]:
        return self._connection.execute(*query).fetchall()

    async def close(self) -> None:
        self._connection.close()


class PostgresqlCounting:
    """Counts the rows that the nodes of PostgreSQL's plans gave and passed over, planned as for a large table.

    A statement that is written for it has its plan for all values, any other one that for its values."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.effort = 0
        self._connection = connection
        self._prepared: dict[str, str] = {}

    async def rows(self, query: Query) -> Sequence[Any]:
        explain = "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON)"
        if is_planned_once(query.sql):
            told = await self._connection.fetchval(f"{explain} EXECUTE {await self._name_of(query.sql)}{_given(query)}")
        else:
            told = await self._connection.fetchval(f"{explain} {query.sql}", *query.args)
        self.effort += _rows_of(orjson.loads(told)[0]["Plan"])
        found: Sequence[Any] = await self._connection.fetch(query.sql, *query.args)
        return found

    async def _name_of(self, sql: str) -> str:
        """The name of the statement, prepared with a generic plan."""
        name = self._prepared.get(sql)
        if name is None:
            name = self._prepared[sql] = f"generic_{len(self._prepared)}"
            await self._connection.execute("SET plan_cache_mode = force_generic_plan")
            await self._connection.execute(f"PREPARE {name} AS {sql}")
        return name

    async def close(self) -> None:
        await self._connection.close()


def is_planned_once(sql: str) -> bool:
    """Whether the statement has a constant limit inside of the page's."""
    return re.search(r"LIMIT [0-9]+::INTEGER", sql) is not None


def _given(query: Query) -> str:
    """The arguments of EXECUTE."""
    return f"({', '.join(_literal(each) for each in query.args)})" if query.args else ""


def _literal(value: object) -> str:
    if isinstance(value, list):
        return _literal(f"{{{','.join(str(each) for each in value)}}}")
    return "'" + str(value).replace("'", "''") + "'"


def _rows_of(node: Mapping[str, Any]) -> int:
    passed_over = sum(count for name, count in node.items() if name.startswith("Rows Removed"))
    own: int = round((node["Actual Rows"] + passed_over) * node["Actual Loops"])
    return own + sum(_rows_of(each) for each in node.get("Plans", ()))


class _Reads:
    """What operations ask of a database, answered by a counting connection."""

    def __init__(self, graph: Graph, counting: Counting, asked: list[Query]) -> None:
        self.dialect = graph.database.dialect
        self._counting = counting
        self._asked = asked

    async def read(self, steps: Callable[[], Generator[Query, Any, Any]], **_share: object) -> Any:
        plan = steps()
        try:
            query = next(plan)
            while True:
                self._asked.append(query)
                query = plan.send(await self._counting.rows(query))
        except StopIteration as stop:
            return stop.value


class Effort:
    """Reads of one database, each with what it took."""

    def __init__(self, graph: Graph, counting: Counting) -> None:
        self.answer: dict[str, Any] = {}
        """The data of the last answer."""
        self.asked: list[Query] = []
        """The statements that it took, as they were run."""
        self._counting = counting
        self._graph = graph
        self._reads = cast(Database, _Reads(graph, counting, self.asked))
        self._operations = Operations(
            SCHEMA, graph.operations.preparer.compiler, self._reads, graph.settings, graph.clock
        )

    async def of(self, document: str, actor: Actor, variables: Mapping[str, Any]) -> int:
        """What the database looked at for a query that must not fail."""
        self._counting.effort = 0
        self.asked.clear()
        context = Context(self._reads, actor, self._graph.settings, self._graph.clock)
        outcome = await self._operations.run(GraphQLRequest(document, variables=variables), context)
        answer = orjson.loads(outcome.body)
        assert "errors" not in answer, answer["errors"]
        self.answer = answer["data"]
        return self._counting.effort

    async def of_statement(self, query: Query) -> int:
        """What the database looks at for one statement."""
        self._counting.effort = 0
        await self._counting.rows(query)
        return self._counting.effort


def _give_to_teams(work: Work) -> None:
    """The first hundred to one team, however many there are, and all others to another; none is without."""
    work.connection.exec_driver_sql("UPDATE interaction SET team_id = CASE WHEN id <= 100 THEN 1 ELSE 2 END")


@contextmanager
def urls_of_sizes(request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> Iterator[Sequence[str]]:
    """A database for each size, of the kind that the fixture's parameter names."""
    with ExitStack() as stack:
        yield [stack.enter_context(fresh_url(request, lambda: folders.mktemp("database"))) for _ in SIZES]


@asynccontextmanager
async def counted_demos(urls: Sequence[str]) -> AsyncIterator[Sequence["Effort"]]:
    """The databases of each size, filled."""
    async with AsyncExitStack() as stack:
        loaded = (counted_demo(url, size) for url, size in zip(urls, SIZES, strict=True))
        yield [await stack.enter_async_context(each) for each in loaded]


@asynccontextmanager
async def counted_demo(url: str, interactions: int) -> AsyncIterator[Effort]:
    """So many interactions, whose reads are counted."""
    async with running_graph(url) as graph:
        await load_bulk(graph.database, interactions)
        await graph.database.command(_give_to_teams)
        counting: Counting
        if url.startswith("sqlite"):
            counting = SqliteCounting(url.removeprefix("sqlite:///"))
        else:
            remote = await asyncpg.connect(url)
            await remote.execute("ANALYZE")
            await pretend_to_be_large(remote)
            counting = PostgresqlCounting(remote)
        try:
            yield Effort(graph, counting)
        finally:
            await counting.close()
