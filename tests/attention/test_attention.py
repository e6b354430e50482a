"""The queue and its summary."""

import pytest

from app.core.actor import Actor
from app.interactions.model import Level
from app.interactions.service.holding import claim
from app.interactions.service.state import raise_attention
from tests.interactions.conftest import House, cnv, ses
from tests.interactions.conftest import house as house
from tests.kinds.conftest import BO

pytestmark = pytest.mark.anyio

CONVERSATIONS = Actor(user_id=2, name="Bo", permissions=frozenset({"conversation:read"}))

QUEUE = """query($first: Int, $after: String, $filter: InteractionFilter) {
  attentionQueue(first: $first, after: $after, filter: $filter) {
    totalCount cursor edges { node { id attention { level since } } } pageInfo { hasNextPage endCursor } } }"""
SUMMARY = """query($by: AttentionGrouping!) { attentionSummary(groupBy: $by) { count oldestSince
  groups { kind reason level assignee { name } count oldestSince } } }"""


@pytest.fixture
async def waiting(house: House) -> House:
    """cnv_1 is LOW from 9:00, ses_2 URGENT from 9:02; then Bo takes cnv_1, which makes it NORMAL."""
    await house.hear()
    house.clock.advance(60)
    await house.hear_sam()
    house.clock.advance(60)
    await house.database.command(raise_attention, BO, ses(2), Level.URGENT)
    await house.database.command(claim, BO, cnv(1))
    return house


async def test_the_queue_goes_by_level_and_then_by_waiting(waiting: House) -> None:
    found = (await waiting.graph.read(QUEUE))["attentionQueue"]
    assert [edge["node"] for edge in found["edges"]] == [
        {"id": "ses_2", "attention": {"level": "URGENT", "since": "2026-01-05T09:02:00.000000Z"}},
        {"id": "cnv_1", "attention": {"level": "NORMAL", "since": "2026-01-05T09:00:00.000000Z"}},
    ]
    await waiting.database.command(raise_attention, BO, cnv(1), Level.URGENT)
    found = (await waiting.graph.read(QUEUE))["attentionQueue"]
    assert [edge["node"]["id"] for edge in found["edges"]] == ["cnv_1", "ses_2"]


async def test_the_queue_has_pages_filters_and_what_may_be_seen(waiting: House) -> None:
    first = (await waiting.graph.read(QUEUE, first=1))["attentionQueue"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (2, True)
    second = (await waiting.graph.read(QUEUE, first=1, after=first["pageInfo"]["endCursor"]))["attentionQueue"]
    assert [edge["node"]["id"] for edge in second["edges"]] == ["cnv_1"]
    assert second["pageInfo"]["hasNextPage"] is False
    only = (await waiting.graph.read(QUEUE, filter={"assignee": {"assigned": False}}))["attentionQueue"]
    assert [edge["node"]["id"] for edge in only["edges"]] == ["ses_2"]
    seen = (await waiting.graph.read(QUEUE, CONVERSATIONS))["attentionQueue"]
    assert [edge["node"]["id"] for edge in seen["edges"]] == ["cnv_1"]


async def test_from_the_queues_cursor_no_event_is_missed_and_none_comes_twice(waiting: House) -> None:
    cursor = (await waiting.graph.read(QUEUE))["attentionQueue"]["cursor"]
    after = "query($after: String!) { events(after: $after) { events { topic } } }"
    assert (await waiting.graph.read(after, after=cursor))["events"]["events"] == []
    await waiting.hear("More", customer=waiting.desk.ana)
    assert (await waiting.graph.read(after, after=cursor))["events"]["events"] == [
        {"topic": "INTERACTION_MESSAGE_RECEIVED"},
        {"topic": "ATTENTION_RENEWED"},
    ]


async def test_a_summary_counts_by_what_is_asked(waiting: House) -> None:
    nobody = {"kind": None, "reason": None, "level": None, "assignee": None}
    nine, later = "2026-01-05T09:00:00.000000Z", "2026-01-05T09:02:00.000000Z"
    expected = {
        "KIND": [
            {**nobody, "kind": "CONVERSATION", "count": 1, "oldestSince": nine},
            {**nobody, "kind": "SESSION", "count": 1, "oldestSince": later},
        ],
        "REASON": [
            {**nobody, "reason": "CUSTOMER_WAITING", "count": 1, "oldestSince": nine},
            {**nobody, "reason": "RAISED", "count": 1, "oldestSince": later},
        ],
        "LEVEL": [
            {**nobody, "level": "URGENT", "count": 1, "oldestSince": later},
            {**nobody, "level": "NORMAL", "count": 1, "oldestSince": nine},
        ],
    }
    for by, groups in expected.items():
        assert (await waiting.graph.read(SUMMARY, by=by))["attentionSummary"] == {
            "count": 2,
            "oldestSince": nine,
            "groups": groups,
        }
    found = (await waiting.graph.read(SUMMARY, by="ASSIGNEE"))["attentionSummary"]
    by_name = {group["assignee"] and group["assignee"]["name"]: group["count"] for group in found["groups"]}
    assert by_name == {None: 1, "Bo": 1}
    seen = (await waiting.graph.read(SUMMARY, CONVERSATIONS, by="LEVEL"))["attentionSummary"]
    assert (seen["count"], len(seen["groups"])) == (1, 1)
    blind = (await waiting.graph.read(SUMMARY, Actor(user_id=4, name="Dee"), by="LEVEL"))["attentionSummary"]
    assert blind == {"count": 0, "oldestSince": None, "groups": []}
