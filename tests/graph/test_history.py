"""Entries of the history: their ids, and the objects that changed values name."""

import pytest

from app.core.ids import parse_id
from app.storage.database import Work
from app.storage.event_log import Cursor, lane_count
from tests.graph.filled import Filled
from tests.graph.listening import ears

pytestmark = pytest.mark.anyio

_CHANGES = """changes { field before after
  beforeNode { id __typename ... on User { name } ... on ChatTopic { name } }
  afterNode { id __typename ... on User { name } ... on ChatTopic { name } } }"""


async def test_history_entries_have_ids_and_name_what_changed(filled: Filled) -> None:
    found = await filled.graph.read(
        f"{{ interactions(first: 30) {{ nodes {{ id history(first: 50) {{ nodes {{ id topic {_CHANGES} }} }} }} }} }}"
    )
    entries = [entry for node in found["interactions"]["nodes"] for entry in node["history"]["nodes"]]
    assert len({entry["id"] for entry in entries}) == len(entries) > 50
    named = set()
    for change in [change for entry in entries for change in entry["changes"]]:
        for side in ("before", "after"):
            value, node = change[side], change[f"{side}Node"]
            is_id = value is not None and parse_id(value) is not None
            assert (None if node is None else node["id"]) == (value if is_id else None), change
            if node is not None and node["__typename"] in ("User", "ChatTopic"):
                named.add((change["field"], node["name"]))
    assert {("assignee", "Bo"), ("transferTo", "Bo")} & named, named


async def test_history_entry_has_the_id_of_its_event(filled: Filled, lasting_url: str) -> None:
    ref = filled.conversations[0]
    history = "query($id: ID!) { interaction(id: $id) { history(first: 100) { nodes { id at } } } }"
    entries = (await filled.graph.read(history, id=ref))["interaction"]["history"]["nodes"]
    beginning = await filled.graph.database.command(_beginning)
    async with ears(filled.graph, lasting_url) as heard:
        listener = await heard.listen(
            "subscription($id: ID!, $after: String) { interactionChanged(id: $id, after: $after) { id at } }",
            id=ref,
            after=beginning,
        )
        told = [await listener.next() for _ in range(3)]
    assert all(each in entries for each in told)


def _beginning(work: Work) -> str:
    return str(Cursor.start(lane_count(work.connection)))
