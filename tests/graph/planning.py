"""How the databases plan the statements of an operation."""

import re
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from app.core.actor import Actor
from benchmarks.bulk.loading import load_bulk
from tests.graph.running import Graph, running_graph

_OF_A_LARGE_TABLE = """
UPDATE pg_class SET reltuples = reltuples * 3000
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i') AND reltuples > 0
"""
"""Has PostgreSQL plan as for a million interactions."""


async def pretend_to_be_large(remote: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Have this connection plan as for a million interactions, until it is closed."""
    await remote.execute("BEGIN")  # and never committed
    await remote.execute(_OF_A_LARGE_TABLE)


class Plans:
    """Reads lists, and tells how the database does so."""

    def __init__(self, graph: Graph, url: str) -> None:
        self.graph = graph
        self.url = url

    async def of(
        self, document: str, actor: Actor, variables: Mapping[str, Any], *, sorts: bool = True
    ) -> tuple[dict[str, Any], list[str]]:
        """The answer, and the steps of the plans of its statements; without `sorts` where an index can do without."""
        self.graph.statements.clear()
        found = await self.graph.read(document, actor, **variables)
        statements = list(self.graph.statements)
        if self.url.startswith("sqlite"):
            connection = sqlite3.connect(self.url.removeprefix("sqlite:///"))
            try:
                rows = [
                    row
                    for text in statements
                    for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", [None] * text.count("?"))
                ]
            finally:
                connection.close()
            return found, [row[3] for row in rows]
        remote = await asyncpg.connect(self.url)
        try:
            await pretend_to_be_large(remote)
            # A few hundred rows are scanned and sorted sooner than looked up; what no index can do is done all the
            # same, and shows.
            avoided = (
                "seqscan",
                "bitmapscan",
                "hashjoin",
                "mergejoin",
                "incremental_sort",
                *(() if sorts else ("sort",)),
            )
            for setting in avoided:
                await remote.execute(f"SET enable_{setting} = off")
            await remote.execute("SET plan_cache_mode = force_generic_plan")
            steps: list[str] = []
            for number, text in enumerate(statements):
                await remote.execute(f"PREPARE s{number} AS {text}")
                nothing = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", text))))
                rows = await remote.fetch(f"EXPLAIN (COSTS OFF) EXECUTE s{number}" + f"({nothing})" * bool(nothing))
                steps += [row[0].strip() for row in rows]
            return found, steps
        finally:
            await remote.close()


@asynccontextmanager
async def planned_demo(url: str) -> AsyncIterator[Plans]:
    """The demo, with statistics, which PostgreSQL would otherwise make some time during the tests, or not."""
    async with running_graph(url) as graph:
        await load_bulk(graph.database, 300)
        if not url.startswith("sqlite"):
            remote = await asyncpg.connect(url)
            await remote.execute("ANALYZE")
            await remote.close()
        yield Plans(graph, url)
