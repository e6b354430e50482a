"""How lists are read in each order that they can have: by an index that has it, in either direction."""

from collections.abc import AsyncIterator

import pytest

from tests.graph.orders import Order, orders_of, written
from tests.graph.planning import Plans, planned_demo
from tests.graph.running import ADMIN, SCHEMA

pytestmark = [pytest.mark.anyio, pytest.mark.both_databases]

INDEXES = {
    "InteractionOrder.LATEST_MESSAGE_AT": "ix_interaction_active",
    "InteractionOrder.CREATED_AT": "ix_interaction_created",
    "InteractionOrder.UPDATED_AT": "ix_interaction_updated",
    "MessageOrder.SENT_AT": "ix_message_interaction",
    "NoteOrder.CREATED_AT": "ix_note_interaction",
    "HistoryOrder.AT": "ix_event_log_interaction_id_position",
}
"""The index that has an order of a field."""

OF_PARTITIONS = {"ix_event_log_interaction_id_position": "event_log_0_interaction"}
"""On PostgreSQL, the one of the first partition."""

_PARTS = {"LATEST_MESSAGE_AT": "active", "CREATED_AT": "created", "UPDATED_AT": "updated"}


def lists() -> list[tuple[str, str, Order]]:
    """A list of each type with each of its orders: the name of the order's type, the list's field, and the order."""
    found = []
    for owner, name in (
        ("Query", "interactions"),
        ("Interaction", "messages"),
        ("Interaction", "notes"),
        ("Interaction", "history"),
    ):
        arguments = SCHEMA.type_map[owner].fields[name].args  # type: ignore[attr-defined]
        found += [(str(arguments["orderBy"].type), name, order) for order in orders_of(arguments)]
    return found


@pytest.fixture(scope="module")
async def plans(changing_url: str) -> AsyncIterator[Plans]:
    async with planned_demo(changing_url) as found:
        yield found


def test_index_of_each_field_is_named_here() -> None:
    fields = {f"{type_}.{order['field']}" for type_, _, order in lists()}
    assert fields == set(INDEXES)


@pytest.mark.parametrize(("type_name", "field", "order"), lists(), ids=str)
async def test_list_is_read_by_an_index_that_has_its_order(
    plans: Plans, type_name: str, field: str, order: Order
) -> None:
    page = f"{field}(first: 5, orderBy: {written(order)}) {{ nodes {{ __typename }} }}"
    document = f"{{ {page} }}" if field == "interactions" else f"{{ interactions(first: 3) {{ nodes {{ {page} }} }} }}"
    _, steps = await plans.of(document, ADMIN, {}, sorts=False)
    index = INDEXES[f"{type_name}.{order['field']}"]
    if plans.url.startswith("postgresql"):
        index = OF_PARTITIONS.get(index, index)
    assert any(index in step for step in steps), steps
    # SQLite sorts the few rows of the pages of all parents once more.
    sorts = [step for step in steps if "TEMP B-TREE" in step or step.startswith(("Sort", "->  Sort"))]
    assert len(sorts) == (1 if plans.url.startswith("sqlite") and field != "interactions" else 0), steps


async def test_list_of_one_kind_in_one_state_is_one_walk_of_its_index(plans: Plans) -> None:
    narrowed = {"f": {"kinds": ["SESSION"], "states": ["OPEN"]}}
    for _, field, order in lists():
        if field != "interactions":
            continue
        page = f"interactions(first: 5, filter: $f, orderBy: {written(order)}) {{ nodes {{ __typename }} }}"
        _, steps = await plans.of(f"query($f: InteractionFilter) {{ {page} }}", ADMIN, narrowed, sorts=False)
        index = f"ix_interaction_part_{_PARTS[order['field']]}"
        assert any(index in step for step in steps), steps
        if plans.url.startswith("sqlite"):
            # Nothing is merged: one step, and no sort.
            assert len(steps) == 1, steps
