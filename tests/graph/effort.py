"""How much the databases look at while they answer: counted, never timed."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, cast

import asyncpg
import orjson

from app.core.actor import Actor
from app.execution.operation import Operations
from app.execution.outcome import GraphQLRequest
from app.graph.context import Context
from app.storage.database import Database, Work
from app.storage.query import Query
from benchmarks.bulk.loading import load_bulk
from tests.graph.planning import pretend_to_be_large
from tests.graph.running import SCHEMA, Graph, running_graph


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
    """Counts the rows that the nodes of PostgreSQL's plans gave and passed over, planned as for a large table."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.effort = 0
        self._connection = connection

    async def rows(self, query: Query) -> Sequence[Any]:
        told = await self._connection.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {query.sql}", *query.args)
        self.effort += _rows_of(orjson.loads(told)[0]["Plan"])
        found: Sequence[Any] = await self._connection.fetch(query.sql, *query.args)
        return found

    async def close(self) -> None:
        await self._connection.close()


def _rows_of(node: Mapping[str, Any]) -> int:
    passed_over = sum(count for name, count in node.items() if name.startswith("Rows Removed"))
    own: int = round((node["Actual Rows"] + passed_over) * node["Actual Loops"])
    return own + sum(_rows_of(each) for each in node.get("Plans", ()))


class _Reads:
    """What operations ask of a database, answered by a counting connection."""

    def __init__(self, graph: Graph, counting: Counting) -> None:
        self.dialect = graph.database.dialect
        self._counting = counting

    async def read(self, steps: Callable[[], Generator[Query, Any, Any]], **_share: object) -> Any:
        plan = steps()
        try:
            query = next(plan)
            while True:
                query = plan.send(await self._counting.rows(query))
        except StopIteration as stop:
            return stop.value


class Effort:
    """Reads of one database, each with what it took."""

    def __init__(self, graph: Graph, counting: Counting) -> None:
        self._counting = counting
        self._graph = graph
        self._reads = cast(Database, _Reads(graph, counting))
        self._operations = Operations(
            SCHEMA, graph.operations.preparer.compiler, self._reads, graph.settings, graph.clock
        )

    async def of(self, document: str, actor: Actor, variables: Mapping[str, Any]) -> int:
        """What the database looked at for a query that must not fail."""
        self._counting.effort = 0
        context = Context(self._reads, actor, self._graph.settings, self._graph.clock)
        outcome = await self._operations.run(GraphQLRequest(document, variables=variables), context)
        answer = orjson.loads(outcome.body)
        assert "errors" not in answer, answer["errors"]
        return self._counting.effort


def _give_to_teams(work: Work) -> None:
    """The first hundred to one team, however many there are, and all others to another; none is without."""
    work.connection.exec_driver_sql("UPDATE interaction SET team_id = CASE WHEN id <= 100 THEN 1 ELSE 2 END")


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
