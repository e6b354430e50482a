"""How interactions that are narrowed by a facet are counted: by an index of the facet, never by a scan."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest

from tests.graph.planning import Plans, planned_demo
from tests.graph.running import ADMIN

pytestmark = [pytest.mark.anyio, pytest.mark.both_databases]

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
