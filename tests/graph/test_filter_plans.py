"""How lists that are narrowed by a facet are read: by an index that has the filter and the order, never by a scan."""

import re
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import asyncpg
import pytest

from app.core.actor import Actor
from app.demo.loading import load
from tests.graph.running import ADMIN, Graph, running_graph

pytestmark = pytest.mark.anyio

READER = Actor(user_id=2, name="Reader", permissions=frozenset({"chat_session:read", "conversation:read"}))

_OF_A_LARGE_TABLE = """
UPDATE pg_class SET reltuples = reltuples * 3000
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i') AND reltuples > 0
"""
"""Has PostgreSQL plan as for a million interactions."""

FACETS: Sequence[Mapping[str, Any]] = (
    {"statuses": ["TO_DO"]},
    {"statuses": ["TO_DO", "IN_QUEUE", "DONE"]},
    {"channels": ["WHATSAPP"]},
    {"channels": ["WHATSAPP", "WIDGET"]},
    {"accountIds": ["cha_1"]},
    {"accountIds": ["cha_1", "cha_2"]},
    {"chatTopicIds": ["top_1"]},
    {"chatTopicIds": ["top_1", "top_2"]},
)
SHARED: Sequence[Mapping[str, Any]] = ({"kinds": ["CHAT_SESSION", "CONVERSATION"]}, {"states": ["OPEN", "SNOOZED"]})
ORDERS = ("LAST_MESSAGE_DESC", "CREATED_ASC", "CREATED_DESC")
LISTS = [
    *((facet, "interactions", f"orderBy: {order}") for facet in FACETS for order in ORDERS),
    *((facet, "attentionQueue", "") for facet in FACETS),
    *((facet, "interactions", "") for facet in (*SHARED, {"unread": True})),
]
"""Each filter with each order that an index has for its values."""


@pytest.fixture(scope="module")
async def plans(changing_url: str) -> AsyncIterator["Plans"]:
    """The demo, with statistics, which PostgreSQL would otherwise make some time during the tests, or not."""
    async with running_graph(changing_url) as graph:
        await load(graph.database, 300, lambda _done, _of: None)
        if not changing_url.startswith("sqlite"):
            remote = await asyncpg.connect(changing_url)
            await remote.execute("ANALYZE")
            await remote.close()
        yield Plans(graph, changing_url)


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
            await remote.execute("BEGIN")  # and never committed
            await remote.execute(_OF_A_LARGE_TABLE)
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

    def scans(self, steps: Sequence[str], facet: Mapping[str, Any]) -> list[str]:
        """The steps that go through the table of interactions, or sort more of it than a page of each value."""
        if "states" in facet and not self.url.startswith("sqlite"):
            # There are three states: PostgreSQL may as well expect every third row in the order to have the one.
            return [step for step in steps if "Seq Scan on interaction" in step]
        if self.url.startswith("sqlite"):
            return [
                step
                for step in steps
                if (step.startswith("SCAN t") and "USING" not in step) or "ix_interaction_active" in step
            ]
        return [step for step in steps if "Seq Scan on interaction" in step or "ix_interaction_active" in step]


@pytest.mark.parametrize("actor", [ADMIN, READER], ids=["admin", "reader"])
@pytest.mark.parametrize(("facet", "field", "order"), LISTS, ids=str)
async def test_list_with_a_facet_is_read_by_an_index_of_it(
    plans: Plans, actor: Actor, facet: Mapping[str, Any], field: str, order: str
) -> None:
    ((name, values),) = facet.items()
    document = f"query($f: InteractionFilter) {{ {field}(first: 5, filter: $f, {order}) {{ nodes {{ id }} }} }}"
    several = isinstance(values, list) and len(values) > 1
    found, steps = await plans.of(document.replace(", )", ")"), actor, {"f": facet}, sorts=several)
    assert found[field]["nodes"] or field == "attentionQueue"
    index = {"accountIds": "account", "chatTopicIds": "account", "kinds": "kind", "states": "state"}.get(name, name)
    index = {"statuses": "status", "channels": "channel"}.get(index, index)
    assert any(f"ix_interaction_{index}" in step for step in steps) or name == "states", steps
    assert plans.scans(steps, facet) == []
    if not several:
        assert not any("TEMP B-TREE" in step or step.startswith("Sort") for step in steps), steps


@pytest.mark.parametrize("facet", FACETS, ids=str)
async def test_count_with_a_facet_looks_at_nothing_else(plans: Plans, facet: Mapping[str, Any]) -> None:
    _, steps = await plans.of(
        "query($f: InteractionFilter) { interactions(filter: $f) { totalCount } }", ADMIN, {"f": facet}
    )
    assert plans.scans(steps, facet) == []
    assert any("ix_interaction_" in step for step in steps), steps


@pytest.mark.parametrize("facet", [*FACETS, *SHARED], ids=str)
async def test_counts_by_groupings_walk_the_index_of_the_facet(plans: Plans, facet: Mapping[str, Any]) -> None:
    document = """query($f: InteractionFilter) {
      interactionCounts(filter: $f, groupBy: [KIND, STATUS, ACCOUNT, ASSIGNEE, LABEL]) { count } }"""
    _, steps = await plans.of(document, ADMIN, {"f": facet})
    assert plans.scans(steps, facet) == []
    assert any("ix_interaction_" in step for step in steps), steps
