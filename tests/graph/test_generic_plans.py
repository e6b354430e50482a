"""Pages that PostgreSQL plans once: which ones, that it does, and that no value has their plan look at more."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import asyncpg
import pytest

from app.core.actor import Actor
from app.core.paging import LARGEST_PAGE
from app.selection.generic_plans import ROUNDED
from tests.graph.effort import Effort, counted_demos, is_planned_once, urls_of_sizes
from tests.graph.orders import orders_of, written
from tests.graph.people import KIND_NAMES
from tests.graph.running import ADMIN, SCHEMA
from tests.graph.test_flatness import ACTORS, QUEUE, grew

pytestmark = pytest.mark.anyio

CUSTOM_RUNS = 5
"""How often PostgreSQL plans a statement for its values before it considers a generic plan."""

MEMBER = Actor(
    user_id=2,
    name="Member",
    permissions=frozenset(f"{kind}:read:{part}" for kind in KIND_NAMES for part in ("team", "own")),
    teams=frozenset({1}),
)
"""Who sees what belongs to a team, and what is its own."""

Narrowed = Mapping[str, Any]
ONCE: Sequence[Narrowed] = (
    {},
    {"kinds": ["CONVERSATION"]},
    {"kinds": ["SESSION"]},
    {"kinds": ["CONVERSATION", "CHAT_SESSION"]},
    {"states": ["SNOOZED"]},
    {"states": ["SNOOZED", "OPEN"]},
    {"kinds": ["CONVERSATION"], "states": ["SNOOZED"]},
    {"kinds": ["CONVERSATION", "CHAT_SESSION"], "states": ["SNOOZED", "CLOSED"]},
)
"""What a list may be narrowed to with one plan for all values: the common ones and the rare."""

BY_VALUE: Sequence[Narrowed] = (
    {"labels": ["billing"]},
    {"teamIds": ["tea_1"]},
    {"customerId": "cus_1"},
    {"statuses": ["TO_DO"]},
    {"assignee": {"userId": "usr_2"}},
    {"kinds": ["SESSION"], "assignee": {"userId": "usr_2"}},
    {"kinds": ["SESSION"], "createdAt": {"since": "2026-01-01T00:00:00Z"}},
    {"unread": True},
)
"""What has a plan for its values."""


def pages() -> list[tuple[str, str]]:
    """A page of each list in each order, from either end, by the order's field."""
    given = orders_of(SCHEMA.type_map["Query"].fields["interactions"].args)  # type: ignore[attr-defined]
    orders = [order for order in given if order["direction"] == "DESC"]  # the other direction is the other end
    lists = [(order["field"], f"interactions(orderBy: {written(order)}, ") for order in orders]
    found = []
    for name, of in [*lists, (QUEUE, "attentionQueue(")]:
        for page, place, end in (("first", "after", "endCursor"), ("last", "before", "startCursor")):
            shown = f"nodes {{ id customer {{ name }} }} pageInfo {{ at: {end} }}"
            head = (
                f"query($f: InteractionFilter, $n: Int, $c: String) {{ list: {of}filter: $f, {page}: $n, {place}: $c)"
            )
            found.append((name, f"{head} {{ {shown} }} }}"))
    return found


@pytest.fixture(scope="module", params=["postgres"])
def urls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[str]]:
    with urls_of_sizes(request, tmp_path_factory) as found:
        yield found


@pytest.fixture(scope="module")
async def sizes(urls: Sequence[str]) -> AsyncIterator[Sequence[Effort]]:
    async with counted_demos(urls) as found:
        yield found


async def test_generic_plan_looks_at_no_more_in_a_larger_table(sizes: Sequence[Effort]) -> None:
    grown = []
    for narrowed in ONCE:
        for order, document in pages():
            if order == QUEUE and ("states" in narrowed or narrowed.get("kinds") == ["SESSION"]):
                continue
            # With every condition it is one plan for all who see kinds as a whole.
            for name, actor in (ACTORS if not narrowed else {"admin": ADMIN}).items():
                found = [await second_page(effort, document, actor, narrowed) for effort in sizes]
                if grew(*found):
                    grown.append((narrowed, order, name, found))
    assert grown == []


async def second_page(effort: Effort, document: str, actor: Actor, narrowed: Narrowed) -> int:
    """What is looked at for a page behind a place, by a generic plan."""
    looked_at, place = 0, None
    for _ in range(2):
        looked_at = await effort.of(document, actor, {"f": narrowed, "n": 5, "c": place})
        assert [is_planned_once(each.sql) for each in effort.asked] == [True]
        place = effort.answer["list"]["pageInfo"]["at"]
    return looked_at


async def test_generic_plan_knows_all_that_a_plan_may_depend_on(sizes: Sequence[Effort]) -> None:
    """No parameter of it decides how many rows are found, but those that are read value by value."""
    for narrowed in ONCE:
        for order, document in pages():
            if order == QUEUE and "states" in narrowed:
                continue
            await sizes[0].of(document, ADMIN, {"f": narrowed, "n": 5})
            (query,) = sizes[0].asked
            assert is_planned_once(query.sql), narrowed
            rest = re.sub(r"LIMIT \$[0-9]+::INTEGER|unnest\(\$[0-9]+::TEXT\[\]::text\[\]\)", "", query.sql)
            assert "$" not in rest, query.sql


async def test_condition_with_a_value_has_a_plan_for_its_value(sizes: Sequence[Effort]) -> None:
    for narrowed in BY_VALUE:
        for _, document in pages():
            await sizes[0].of(document, ADMIN, {"f": narrowed, "n": 5})
            assert not any(is_planned_once(each.sql) for each in sizes[0].asked), narrowed


async def test_generic_plan_of_who_sees_a_part_is_of_all_rows(sizes: Sequence[Effort]) -> None:
    """A limit comes before what is seen, so that a caller who sees nothing has no more looked at."""
    nobody = Actor(user_id=2, name="Nobody", permissions=frozenset({"conversation:read:own"}))
    for _, document in pages():
        for actor in (MEMBER, nobody):
            looked_at = []
            for effort in sizes:
                await effort.of(document, actor, {"n": 6})
                query = effort.asked[0]
                first, limit, _ = re.split(r"(LIMIT [0-9]+::INTEGER)", query.sql)
                assert "$" not in first, query.sql
                assert limit == "LIMIT 44::INTEGER"
                looked_at.append(await effort.of_statement(query))
            assert not grew(*looked_at), (document, actor.name)


async def test_postgresql_chooses_the_generic_plan(sizes: Sequence[Effort], urls: Sequence[str]) -> None:
    remote = await asyncpg.connect(urls[1])
    try:
        # The smallest pages of who sees a part may seem to be read in less time than planned for all.
        for size in (5, 20, 50, 100):
            actors = [(ADMIN, {}), (ADMIN, ONCE[-2]), (ADMIN, ONCE[-1]), *([(MEMBER, {})] if size > 10 else [])]
            for actor, narrowed in actors:
                await sizes[1].of(pages()[0][1], actor, {"f": narrowed, "n": size})
                sql, arguments = sizes[1].asked[0]
                statement = await remote.prepare(sql)
                for _ in range(CUSTOM_RUNS + 1):
                    await statement.fetch(*arguments)
                name = statement.get_name()
                counted = "SELECT generic_plans FROM pg_prepared_statements WHERE name = $1"
                assert await remote.fetchval(counted, name) == 1, (size, actor.name, narrowed)
    finally:
        await remote.close()


def test_constant_limit_has_room_for_each_page_and_the_row_behind_it() -> None:
    assert set(ROUNDED) == set(range(1, LARGEST_PAGE + 1))
    assert all(size < most <= max(size * 2.5 + 1, 11) for size, most in ROUNDED.items())
