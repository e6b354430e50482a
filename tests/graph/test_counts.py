"""The numbers beside a list: what is counted, up to what, and for whom."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from app.core.actor import Actor
from app.execution.operation import Operations
from app.schema import SLICES, build_catalogue
from app.selection.catalogue import Catalogue
from app.selection.compiler import Compiler
from app.selection.mapping import RootTally
from tests.graph.filled import Filled
from tests.graph.running import ADMIN, SCHEMA

pytestmark = [pytest.mark.anyio, pytest.mark.both_databases]

COUNTS = """query($filter: InteractionFilter, $by: [InteractionGrouping!]!) {
  interactionCounts(filter: $filter, groupBy: $by) { count countIsCapped groupings {
    by isCapped groups { value count unreadCount attentionCount node { __typename id } } } }
}"""
TOTAL = "query($filter: InteractionFilter) { interactions(filter: $filter) { totalCount } }"
CONDITIONS: Mapping[str, str] = {
    "KIND": "kinds",
    "STATE": "states",
    "STATUS": "statuses",
    "CHANNEL": "channels",
    "ACCOUNT": "accountIds",
    "CHAT_TOPIC": "chatTopicIds",
    "LEVEL": "levels",
    "LABEL": "labels",
    "TAG": "tags",
    "TOPIC": "topics",
}


async def counted(filled: Filled, by: list[str], actor: Actor = ADMIN, **condition: Any) -> dict[str, Any]:
    found: dict[str, Any] = await filled.graph.read(COUNTS, actor, filter=condition, by=by)
    counts: dict[str, Any] = found["interactionCounts"]
    return counts


def limited(filled: Filled, **limits: int) -> Filled:
    """The same with other limits of counts."""
    graph, all_ = filled.graph, build_catalogue(SCHEMA, SLICES)
    counts = all_.roots["interactionCounts"]
    assert isinstance(counts, RootTally)
    roots = {**all_.roots, "interactionCounts": replace(counts, **limits)}  # type: ignore[arg-type]
    compiler = Compiler(Catalogue(all_.maps.values(), roots, all_.types, all_.query), graph.database.dialect)
    operations = Operations(SCHEMA, compiler, graph.database, graph.settings, graph.clock)
    return replace(filled, graph=replace(graph, operations=operations))


def sizes(counts: Mapping[str, Any], by: str) -> dict[str | None, int]:
    (grouping,) = [each for each in counts["groupings"] if each["by"] == by]
    return {group["value"]: group["count"] for group in grouping["groups"]}


@pytest.mark.parametrize("by", CONDITIONS)
async def test_counts_are_those_of_the_list_with_each_value(filled: Filled, by: str) -> None:
    groups = sizes(await counted(filled, [by], states=["OPEN"]), by)
    groups.pop(None, None)
    assert groups
    for value, count in groups.items():
        filter_ = {"states": ["OPEN"], CONDITIONS[by]: [value]}
        assert (await filled.graph.read(TOTAL, filter=filter_))["interactions"]["totalCount"] == count, value


async def test_counts_of_several_groupings_come_in_their_order_from_one_statement(filled: Filled) -> None:
    by = ["STATUS", "KIND", "STATUS", "ASSIGNEE"]
    await counted(filled, by)
    filled.graph.statements.clear()
    found = await counted(filled, by)
    assert [each["by"] for each in found["groupings"]] == ["STATUS", "KIND", "ASSIGNEE"]
    assert sum(sizes(found, "KIND").values()) == sum(sizes(found, "STATUS").values()) == found["count"]
    # What is counted, and the assignees.
    assert len(filled.graph.statements) == 2


async def test_counts_give_the_objects_of_ids_alone(filled: Filled) -> None:
    found = await counted(filled, ["ACCOUNT", "CHAT_TOPIC", "ASSIGNEE", "KIND"])
    types = {
        each["by"]: {group["node"] and group["node"]["__typename"] for group in each["groups"]}
        for each in found["groupings"]
    }
    assert types == {
        "ACCOUNT": {"ChannelAgent", "AiAgent", None},
        "CHAT_TOPIC": {"ChatTopic", None},
        "ASSIGNEE": {"User", None},
        "KIND": {None},
    }
    for each in found["groupings"]:
        for group in each["groups"]:
            assert group["node"] is None or group["node"]["id"] == group["value"]


async def test_counts_hold_what_the_caller_may_see(filled: Filled) -> None:
    reader = Actor(user_id=2, name="Reader", permissions=frozenset({"session:read"}))
    everything = sizes(await counted(filled, ["KIND"]), "KIND")
    assert len(everything) == 4
    found = await counted(filled, ["KIND", "ACCOUNT"], reader)
    assert sizes(found, "KIND") == {"SESSION": everything["SESSION"]}
    assert sizes(found, "ACCOUNT") == {None: everything["SESSION"]}
    blind = await counted(filled, ["KIND"], Actor(user_id=2, name="Nobody"))
    assert blind == {"count": 0, "countIsCapped": False, "groupings": [{"by": "KIND", "isCapped": False, "groups": []}]}


async def test_counts_take_the_filter_of_lists(filled: Filled) -> None:
    bo = filled.people.actors["bo"]
    mine = await counted(filled, ["ASSIGNEE"], bo, assignee={"userId": "me"})
    assert sizes(mine, "ASSIGNEE") == {f"usr_{bo.user_id}": mine["count"]}
    assert mine["count"] > 0
    assert (await counted(filled, [], kinds=[]))["count"] == 0
    answer = await filled.graph.answer(COUNTS, filter={"kinds": None}, by=[])
    assert answer["errors"][0]["extensions"] | {"argument": None} == {"code": "INVALID_INPUT", "argument": None}
    answer = await filled.graph.answer(COUNTS, filter={"accountIds": ["usr_1"]}, by=[])
    assert answer["errors"][0]["extensions"]["argument"] == ["filter", "accountIds", "0"]


@pytest.mark.parametrize("condition", [{}, {"kinds": ["SESSION", "CONVERSATION"]}], ids=["all", "two kinds"])
async def test_counts_end_at_the_cap_with_what_had_a_message_last(filled: Filled, condition: Mapping[str, Any]) -> None:
    document = "query($f: InteractionFilter) { interactions(first: 4, filter: $f) { nodes { kind } } }"
    latest = [node["kind"] for node in (await filled.graph.read(document, f=condition))["interactions"]["nodes"]]
    found = await counted(limited(filled, most_counted=3), ["KIND"], **condition)
    assert (found["count"], found["countIsCapped"]) == (3, True)
    assert sizes(found, "KIND") == {kind: min(latest.count(kind), 3) for kind in latest}


async def test_counts_give_the_largest_groups(filled: Filled) -> None:
    every = await counted(filled, ["STATUS"])
    found = await counted(limited(filled, most_groups=2), ["STATUS"])
    assert found["groupings"] == [
        {**every["groupings"][0], "isCapped": True, "groups": every["groupings"][0]["groups"][:2]}
    ]
    assert found["count"] == every["count"]
