"""Lists of who sees what belongs to its teams: one walk where that is much, team by team where it is little."""

from collections.abc import AsyncIterator, Sequence

import pytest

from app.core.actor import Actor
from app.selection.nearby import PAGES_LEFT_OUT
from app.storage.database import Work
from benchmarks.bulk.loading import load_bulk
from tests.graph.orders import orders_of, written
from tests.graph.people import KIND_NAMES
from tests.graph.planning import Plans
from tests.graph.running import ADMIN, SCHEMA, running_graph

pytestmark = pytest.mark.anyio

MANY, FEW = 1, 2
"""The team of nearly all, and that of one in fifty."""


def member_of(team: int) -> Actor:
    seen = frozenset(f"{kind}:read:team" for kind in KIND_NAMES)
    return Actor(user_id=2, name=f"Of team {team}", permissions=seen, teams=frozenset({team}))


def _give_to_teams(work: Work) -> None:
    work.connection.exec_driver_sql(
        f"UPDATE interaction SET team_id = CASE WHEN id % 50 = 0 THEN {FEW} ELSE {MANY} END"
    )


@pytest.fixture
async def plans(database_url: str) -> AsyncIterator[Plans]:
    # With plans of its own: they remember whose pages were not nearby.
    async with running_graph(database_url, own_plans=True) as graph:
        await load_bulk(graph.database, 300)
        await graph.database.command(_give_to_teams)
        yield Plans(graph, database_url)


def lists() -> list[str]:
    """A list in each order and direction, without its page."""
    orders = orders_of(SCHEMA.type_map["Query"].fields["interactions"].args)  # type: ignore[attr-defined]
    return [f"interactions(orderBy: {written(order)}, %s)" for order in orders]


async def pages(plans: Plans, of: str, team: int, which: str) -> tuple[list[list[str]], list[int]]:
    """The ids of two pages, the second one after or before the first, and how many statements each took."""
    found: list[list[str]] = []
    statements = []
    cursor: str | None = None
    size, place, end = {"first": ("first", "after", "endCursor"), "last": ("last", "before", "startCursor")}[which]
    for _ in range(2):
        arguments = f"{size}: 5" if cursor is None else f'{size}: 5, {place}: "{cursor}"'
        plans.graph.statements.clear()
        data = await plans.graph.read(
            f"{{ list: {of % arguments} {{ nodes {{ id }} pageInfo {{ {end} }} }} }}", member_of(team)
        )
        statements.append(len(plans.graph.statements))
        found.append([node["id"] for node in data["list"]["nodes"]])
        cursor = data["list"]["pageInfo"][end]
    return found, statements


async def of_team(plans: Plans, of: str, team: int) -> list[str]:
    """All ids of a team's list as an admin sees them."""
    ids: list[str] = []
    more, after = True, ""
    while more:
        data = await plans.graph.read(
            f"{{ list: {of % f'first: 100{after}'} {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}", ADMIN
        )
        ids += [node["id"] for node in data["list"]["nodes"]]
        more, after = data["list"]["pageInfo"]["hasNextPage"], f', after: "{data["list"]["pageInfo"]["endCursor"]}"'
    return [each for each in ids if (int(each.split("_")[1]) % 50 == 0) == (team == FEW)]


@pytest.mark.both_databases
async def test_pages_of_who_sees_much_are_one_walk_in_each_order(plans: Plans) -> None:
    for of in lists():
        everything = await of_team(plans, of, MANY)
        assert len(everything) > 200
        assert await pages(plans, of, MANY, "first") == ([everything[:5], everything[5:10]], [1, 1]), of
        assert await pages(plans, of, MANY, "last") == ([everything[-5:], everything[-10:-5]], [1, 1]), of
        document = f"{{ {of % 'first: 5'} {{ nodes {{ id }} }} }}"
        _, of_admin = await plans.of(document, ADMIN, {}, sorts=False)
        _, steps = await plans.of(document, member_of(MANY), {}, sorts=False)
        # On SQLite, the rows, and where they end.
        assert walks(steps) == walks(of_admin) * (2 if plans.url.startswith("sqlite") else 1), of


def walks(steps: Sequence[str]) -> list[str]:
    """The indexes that the steps of a plan walk; a sort is named too."""
    found = []
    for step in steps:
        if "TEMP B-TREE" in step or step.startswith(("Sort", "->  Sort")):
            found.append("sort")
        found += [word for word in step.replace("(", " ").split() if word.startswith("ix_interaction_")]
    return found


@pytest.mark.both_databases
async def test_pages_of_who_sees_little_are_looked_for_nearby_now_and_then(plans: Plans) -> None:
    for of in lists():
        everything = await of_team(plans, of, FEW)
        assert len(everything) == 6
        taken = []
        for _ in range(PAGES_LEFT_OUT + 2):
            (found, rest), (first, second) = await pages(plans, of, FEW, "first")
            assert (found, rest) == (everything[:5], everything[5:]), of
            taken.append((first, second))
        once = [(2, 2)]
        assert taken == [*once, *[(1, 1)] * PAGES_LEFT_OUT, *once], of
        # Another team is still looked for, and so is another list of the same one.
        assert (await pages(plans, of, MANY, "first"))[1] == [1, 1]


@pytest.mark.both_databases
async def test_queue_and_pages_with_conditions_are_read_team_by_team(plans: Plans) -> None:
    queue = "{ attentionQueue(first: 5) { nodes { id } } }"
    data = "query($f: InteractionFilter) { interactions(first: 5, filter: $f) { nodes { id kind } } }"
    plans.graph.statements.clear()
    found = await plans.graph.read(data, member_of(MANY), f={"kinds": ["SESSION"]})
    assert len(plans.graph.statements) == 1
    assert "CASE WHEN" not in plans.graph.statements[0]
    plans.graph.statements.clear()
    await plans.graph.read(queue, member_of(MANY))
    assert len(plans.graph.statements) == 1
    assert "CASE WHEN" not in plans.graph.statements[0]
    assert {node["kind"] for node in found["interactions"]["nodes"]} == {"SESSION"}
