"""What it adds to a read that its caller sees a part: no statement, no step of a plan, and next to no computing."""

import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, cast

import asyncpg
import pytest

import app
from app.core.actor import Actor
from app.execution.operation import Operations
from app.execution.outcome import GraphQLRequest
from app.graph.context import Context
from app.storage.database import Database, Work
from app.storage.query import Query, Row
from benchmarks.bulk.loading import load_bulk
from benchmarks.cases import FLAT, INBOX, SINGLE
from tests.graph.people import KIND_NAMES
from tests.graph.planning import Plans
from tests.graph.running import ADMIN, SCHEMA, Graph, running_graph

pytestmark = [pytest.mark.anyio, pytest.mark.both_databases]

MEMBER = Actor(
    user_id=2,
    name="Member",
    permissions=frozenset(f"{kind}:read:{part}" for kind in KIND_NAMES for part in ("team", "own")),
    teams=frozenset({1, 2}),
)
"""Who sees what belongs to two teams, to none, or to itself: everything that there is here."""

LOOKED_AT = {"single": 1, "flat": 21, "inbox": 51}
"""How many interactions each read looks at: its page, and the one behind it."""

MOST_STEPS = 7
"""How many steps SQLite may take more for each of them."""

MOST_CALLS = 2
"""How many calls a narrowed list takes more on PostgreSQL."""

_OURS = str(Path(app.__file__).parent)


@pytest.fixture(scope="module")
async def graph(changing_url: str) -> AsyncIterator[Graph]:
    async with running_graph(changing_url, own_plans=True) as found:
        await load_bulk(found.database, 300)
        await found.database.command(_give_to_teams)
        if not changing_url.startswith("sqlite"):
            remote = await asyncpg.connect(changing_url)
            await remote.execute("ANALYZE")
            await remote.close()
        yield found


def _give_to_teams(work: Work) -> None:
    work.connection.exec_driver_sql("UPDATE interaction SET team_id = id % 3")


async def cases(graph: Graph) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
    """The reads of `bench variants`, each with its variables."""
    sessions = await graph.read(
        "{ interactions(first: 1, filter: {kinds: [SESSION]}) { nodes { ... on Session { sessionKey } } } }"
    )
    (session,) = sessions["interactions"]["nodes"]
    return {"single": (SINGLE, {"key": session["sessionKey"]}), "flat": (FLAT, {}), "inbox": (INBOX, {})}


class Known:
    """A database that gives again what it gave to the same statements, at once and without a call outside of here."""

    def __init__(self, database: Database) -> None:
        self.dialect = database.dialect
        self.asked: list[Query] = []
        self._database = database
        self._known: dict[str, Sequence[Row]] = {}

    async def read(self, steps: Callable[[], Generator[Query, Any, Any]], **_share: object) -> Any:
        plan = steps()
        try:
            query = next(plan)
            while True:
                self.asked.append(query)
                known = self._known.get(repr(query))
                query = plan.send(await self._rows(query) if known is None else known)
        except StopIteration as stop:
            return stop.value

    look_up = read

    async def _rows(self, query: Query) -> Sequence[Row]:
        def steps() -> Generator[Query, Sequence[Row], Sequence[Row]]:
            return (yield query)

        found = self._known[repr(query)] = await self._database.plan(steps, snapshot=False, caller="the test")
        return found


class Asking:
    """Asks for the same again and again, and counts the calls of our functions."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.known = Known(graph.database)
        reads = cast(Database, self.known)
        compiler = graph.operations.preparer.compiler
        self._operations = Operations(SCHEMA, compiler, reads, graph.settings, graph.clock)

    async def of(self, actor: Actor, document: str, variables: Mapping[str, Any]) -> tuple[bytes, int]:
        """The answer of the third time, and how many calls it took."""
        calls = 0

        def called(frame: FrameType, event: str, _argument: object) -> None:
            nonlocal calls
            calls += event == "call" and frame.f_code.co_filename.startswith(_OURS)

        request = GraphQLRequest(document, variables=variables)
        context = Context(cast(Database, self.known), actor, self._graph.settings, self._graph.clock)
        for _ in range(2):
            await self._operations.run(request, context)
        self.known.asked.clear()
        before = sys.getprofile()
        sys.setprofile(called)
        try:
            outcome = await self._operations.run(request, context)
        finally:
            sys.setprofile(before)
        return outcome.body, calls

    def close(self) -> None:
        self._operations.close()


async def test_narrowed_read_is_planned_as_that_of_an_admin(graph: Graph, changing_url: str) -> None:
    plans = Plans(graph, changing_url)
    for name, (document, variables) in (await cases(graph)).items():
        everything, of_admin = await plans.of(document, ADMIN, variables)
        await plans.of(document, MEMBER, variables)  # which may not be found nearby
        seen, steps = await plans.of(document, MEMBER, variables)
        assert seen == everything, name
        if changing_url.startswith("sqlite"):
            # What is seen is a filter of the same nodes.
            assert steps == of_admin, name
        else:
            # The customers are looked up after it is known what is seen.
            assert indexes_of(steps) == indexes_of(of_admin), name


def indexes_of(steps: Sequence[str]) -> list[str]:
    """The indexes that the plan uses, and what else has its rows come from or in order."""
    found = []
    for step in steps:
        if "Scan" in step and "Subquery Scan" not in step:
            found.append(step.removeprefix("->  ").partition(" on ")[0])
        elif "Sort" in step or "Hash" in step:
            found.append("sorted or hashed")
    return sorted(found)


async def test_narrowed_read_takes_as_many_statements_and_calls(graph: Graph) -> None:
    with closing(Asking(graph)) as asking:
        for name, (document, variables) in (await cases(graph)).items():
            everything, calls = await asking.of(ADMIN, document, variables)
            statements = len(asking.known.asked)
            seen, narrowed = await asking.of(MEMBER, document, variables)
            assert seen == everything, name
            assert len(asking.known.asked) == statements, name
            # What is bound for a caller is kept. On PostgreSQL, its page is looked for nearby.
            assert narrowed <= calls + (0 if graph.database.dialect.name == "sqlite" else MOST_CALLS), name


async def test_narrowed_read_asks_for_the_kind_only_where_kinds_differ(graph: Graph) -> None:
    assert MEMBER.permissions is not None
    one_kind_less = replace(MEMBER, permissions=MEMBER.permissions - {"session:read:team", "session:read:own"})
    one_kind_in_part = replace(MEMBER, permissions=MEMBER.permissions - {"session:read:own"})
    with closing(Asking(graph)) as asking:
        for name, (document, variables) in (await cases(graph)).items():
            if name == "single":
                continue
            for actor, asked in ((MEMBER, False), (one_kind_less, True), (one_kind_in_part, True)):
                await asking.of(actor, document, variables)
                (interactions, *_) = asking.known.asked
                assert ("'conversation'" in interactions.sql) == asked, (name, actor)


async def test_postgresql_remembers_no_customer_for_the_next_row(graph: Graph) -> None:
    if graph.database.dialect.name == "sqlite":
        return
    document, variables = (await cases(graph))["inbox"]
    with closing(Asking(graph)) as asking:
        for actor in (ADMIN, MEMBER):
            await asking.of(actor, document, variables)
            assert "t2.id = t1.customer_id AND t1.customer_id IS NOT NULL" in asking.known.asked[0].sql


async def test_narrowed_read_has_sqlite_look_at_little_more(graph: Graph, changing_url: str) -> None:
    if not changing_url.startswith("sqlite"):
        return
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    def taken(queries: Sequence[Query]) -> int:
        nonlocal steps
        steps = 0
        for query in queries:
            connection.execute(*query).fetchall()
        return steps

    opened = sqlite3.connect(changing_url.removeprefix("sqlite:///"))
    with closing(Asking(graph)) as asking, closing(opened) as connection:
        connection.set_progress_handler(step, 1)
        for name, (document, variables) in (await cases(graph)).items():
            found = []
            for actor in (ADMIN, MEMBER):
                await asking.of(actor, document, variables)
                taken(asking.known.asked)  # what the connection does once
                found.append(taken(asking.known.asked))
            of_admin, narrowed = found
            assert of_admin < narrowed <= of_admin + MOST_STEPS * LOOKED_AT[name], name
