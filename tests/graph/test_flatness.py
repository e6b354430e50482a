"""What a page of interactions has the database look at does not grow with the table, whatever it is narrowed to.

Counted at two sizes (tests/graph/effort.py). What does grow is named here, and in docs/fields.md."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import pytest

from app.core.actor import Actor
from tests.graph.effort import Effort, counted_demos, urls_of_sizes
from tests.graph.orders import orders_of, written
from tests.graph.running import ADMIN, SCHEMA

pytestmark = pytest.mark.anyio


def grew(small: int, large: int) -> bool:
    """Whether more was looked at because there is more. Where matches lie differs, and an index may be deeper."""
    return large > 2 * small + 60


ACTORS: Mapping[str, Actor] = {
    "admin": ADMIN,
    "two kinds": Actor(user_id=2, name="Two", permissions=frozenset({"chat_session:read", "conversation:read"})),
    "one kind": Actor(user_id=2, name="One", permissions=frozenset({"conversation:read"})),
}
BY_TEAM = "of a team"
"""Who sees the interactions of a team, of which there are a hundred, and those of none, of which there is none."""

NARROWED = Actor(
    user_id=2,
    name="Team",
    permissions=frozenset({"conversation:read:team", "chat_session:read:team"}),
    teams=frozenset({1}),
)
OF_PARTITION = frozenset({"kinds", "states", "teamIds", "botActive", "attentionNeeded"})
"""The conditions by which lists of who sees teams are flat."""

QUEUE = "QUEUE"
LATEST, CREATED, UPDATED = "LATEST_MESSAGE_AT", "CREATED_AT", "UPDATED_AT"
LISTS = frozenset({LATEST, CREATED, UPDATED})
NOWHERE: frozenset[str] = frozenset()
OF_CHANGE = frozenset({UPDATED})
QUEUE_ALONE = frozenset({QUEUE})
EVERYWHERE = LISTS | {QUEUE}

CASES: Mapping[str, tuple[Mapping[str, Any], frozenset[str]]] = {
    "nothing": ({}, NOWHERE),
    "one kind": ({"kinds": ["CONVERSATION"]}, NOWHERE),
    "several kinds": ({"kinds": ["CONVERSATION", "CHAT_SESSION"]}, NOWHERE),
    "a kind that few may see": ({"kinds": ["SESSION"]}, QUEUE_ALONE),
    "one state": ({"states": ["OPEN"]}, NOWHERE),
    "a rare state": ({"states": ["SNOOZED"]}, QUEUE_ALONE),
    "several states": ({"states": ["OPEN", "SNOOZED"]}, NOWHERE),
    "kind and state": ({"kinds": ["CONVERSATION"], "states": ["CLOSED"]}, QUEUE_ALONE),
    "kinds and states": ({"kinds": ["CONVERSATION", "SESSION"], "states": ["CLOSED", "OPEN"]}, NOWHERE),
    "kind and bot": ({"kinds": ["CONVERSATION"], "botActive": False}, NOWHERE),
    "one status": ({"statuses": ["TO_DO"]}, OF_CHANGE),
    "several statuses": ({"statuses": ["TO_DO", "IN_QUEUE", "DONE"]}, OF_CHANGE | QUEUE_ALONE),
    "channel": ({"channels": ["WHATSAPP"]}, OF_CHANGE),
    "account": ({"accountIds": ["cha_1"]}, OF_CHANGE),
    "chat topic": ({"chatTopicIds": ["top_1"]}, EVERYWHERE),
    "team or none": ({"teamIds": ["tea_1", None]}, NOWHERE),
    "unread": ({"unread": True}, frozenset({CREATED, UPDATED, QUEUE})),
    "all read": ({"unread": False}, QUEUE_ALONE),
    "user": ({"assignee": {"userId": "usr_2"}}, frozenset({CREATED, UPDATED, QUEUE})),
    "user or nobody": ({"assignee": {"userIdOrNobody": "usr_2"}}, frozenset({CREATED, UPDATED, QUEUE})),
    "user or nobody, of a kind": (
        {"assignee": {"userIdOrNobody": "usr_2"}, "kinds": ["CONVERSATION"], "states": ["OPEN"]},
        EVERYWHERE,
    ),
    "assigned": ({"assignee": {"assigned": True}}, QUEUE_ALONE),
    "nobody": ({"assignee": {"assigned": False}}, frozenset({CREATED, UPDATED, QUEUE})),
    "customer": ({"customerId": "cus_1"}, NOWHERE),
    "label": ({"labels": ["billing"]}, EVERYWHERE),
    "tag": ({"tags": ["billing"]}, EVERYWHERE),
    "topic": ({"topics": ["billing"]}, EVERYWHERE),
    "attention": ({"attentionNeeded": True}, LISTS),
    "no attention": ({"attentionNeeded": False}, QUEUE_ALONE),
    "level": ({"levels": ["HIGH"]}, LISTS),
    "reason": ({"reasons": ["MISSED"]}, EVERYWHERE),
    "bot": ({"botActive": True}, EVERYWHERE),
    "no bot": ({"botActive": False}, QUEUE_ALONE),
    "created since": ({"createdAt": {"since": "2026-01-01T00:00:00Z"}}, frozenset({LATEST, UPDATED, QUEUE})),
    "created before": ({"createdAt": {"before": "2000-01-01T00:00:00Z"}}, frozenset({LATEST, UPDATED, QUEUE})),
    "updated since": ({"updatedAt": {"since": "2036-01-01T00:00:00Z"}}, frozenset({LATEST, CREATED, QUEUE})),
    "message before": ({"latestMessageAt": {"before": "2000-01-01T00:00:00Z"}}, EVERYWHERE),
}
"""What a list is narrowed to, and the orders in which it may grow: all that matches or waits, or is passed over."""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def urls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[str]]:
    with urls_of_sizes(request, tmp_path_factory) as found:
        yield found


@pytest.fixture(scope="module")
async def sizes(urls: Sequence[str]) -> AsyncIterator[Sequence[Effort]]:
    async with counted_demos(urls) as found:
        yield found


def documents() -> list[tuple[str, str]]:
    """A page of each list of interactions in each order and direction, by the order's field."""
    orders = orders_of(SCHEMA.type_map["Query"].fields["interactions"].args)  # type: ignore[attr-defined]
    pages = [(order["field"], f"interactions(first: 5, filter: $f, orderBy: {written(order)})") for order in orders]
    return [(name, f"query($f: InteractionFilter) {{ {page} {{ nodes {{ id }} }} }}") for name, page in pages] + [
        (QUEUE, "query($f: InteractionFilter) { attentionQueue(first: 5, filter: $f) { nodes { id } } }")
    ]


def test_each_condition_has_a_case() -> None:
    conditions = SCHEMA.type_map["InteractionFilter"].fields  # type: ignore[attr-defined]
    assert {name for filter_, _ in CASES.values() for name in filter_} == set(conditions)


async def growth(sizes: Sequence[Effort], narrowed: Mapping[str, Any]) -> dict[str, tuple[str, int, int]]:
    """The orders in which a list looks at more in the larger table, each with an actor and what was looked at."""
    found: dict[str, tuple[str, int, int]] = {}
    actors = {**ACTORS, BY_TEAM: NARROWED} if narrowed.keys() <= OF_PARTITION else ACTORS
    for order, document in documents():
        for name, actor in actors.items():
            small, large = [await effort.of(document, actor, {"f": narrowed}) for effort in sizes]
            if grew(small, large):
                found[order] = (name, small, large)
    return found


async def test_pages_look_at_no_more_in_a_larger_table(sizes: Sequence[Effort]) -> None:
    """One test for all cases: to fill the tables takes longer than to read them."""
    grown = {case: await growth(sizes, narrowed) for case, (narrowed, _) in CASES.items()}
    assert {case: found for case, found in grown.items() if not found.keys() <= CASES[case][1]} == {}
    # The counting sees what it should: no index has these.
    for case in ("bot", "message before"):
        assert grown[case].keys() >= LISTS
