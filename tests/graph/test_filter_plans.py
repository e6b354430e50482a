"""How lists that are narrowed by a facet are read: by an index that has the filter and the order, never by a scan."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest

from app.core.actor import Actor
from tests.graph.orders import orders_of, written
from tests.graph.planning import Plans, planned_demo
from tests.graph.running import ADMIN, SCHEMA

pytestmark = pytest.mark.anyio

READER = Actor(user_id=2, name="Reader", permissions=frozenset({"chat_session:read", "conversation:read"}))

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
_ARGUMENTS = SCHEMA.type_map["Query"].fields["interactions"].args  # type: ignore[attr-defined]
ORDERS = [order for order in orders_of(_ARGUMENTS) if order["field"] != "UPDATED_AT"]
LISTS = [
    *((facet, "interactions", f"orderBy: {written(order)}") for facet in FACETS for order in ORDERS),
    *((facet, "attentionQueue", "") for facet in FACETS),
    *(
        (facet, "interactions", f"orderBy: {written(order)}")
        for facet in (*SHARED, {"unread": True})
        for order in ORDERS
        if order["field"] == "LATEST_MESSAGE_AT"
    ),
]
"""Each filter with each order that an index has for its values."""


@pytest.fixture(scope="module")
async def plans(changing_url: str) -> AsyncIterator[Plans]:
    async with planned_demo(changing_url) as found:
        yield found


def scans(plans: Plans, steps: Sequence[str], facet: Mapping[str, Any]) -> list[str]:
    """The steps that go through the table of interactions, or sort more of it than a page of each value."""
    if "states" in facet and not plans.url.startswith("sqlite"):
        # There are three states: PostgreSQL may as well expect every third row in the order to have the one.
        return [step for step in steps if "Seq Scan on interaction" in step]
    if plans.url.startswith("sqlite"):
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
    assert scans(plans, steps, facet) == []
    if not several:
        assert not any("TEMP B-TREE" in step or step.startswith("Sort") for step in steps), steps


@pytest.mark.parametrize("facet", FACETS, ids=str)
async def test_count_with_a_facet_looks_at_nothing_else(plans: Plans, facet: Mapping[str, Any]) -> None:
    _, steps = await plans.of(
        "query($f: InteractionFilter) { interactions(filter: $f) { totalCount } }", ADMIN, {"f": facet}
    )
    assert scans(plans, steps, facet) == []
    assert any("ix_interaction_" in step for step in steps), steps


@pytest.mark.parametrize("facet", [*FACETS, *SHARED], ids=str)
async def test_counts_by_groupings_walk_the_index_of_the_facet(plans: Plans, facet: Mapping[str, Any]) -> None:
    document = """query($f: InteractionFilter) {
      interactionCounts(filter: $f, groupBy: [KIND, STATUS, ACCOUNT, ASSIGNEE, LABEL]) { count } }"""
    _, steps = await plans.of(document, ADMIN, {"f": facet})
    assert scans(plans, steps, facet) == []
    assert any("ix_interaction_" in step for step in steps), steps
