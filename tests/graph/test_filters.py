"""What a condition of a filter means when it is absent, null or empty: alike in lists, the queue and subscriptions."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLList, GraphQLNonNull, get_named_type

from app.interactions.reads.facts import condition_of, wanted_keys
from app.selection.catalogue import snake
from tests.graph.filled import Filled
from tests.graph.listening import Ears, ears
from tests.graph.running import SCHEMA

pytestmark = pytest.mark.anyio

LISTS = ("interactions", "attentionQueue")
STREAMS = ("interactionChanged", "messageAdded", "attentionChanged")


def conditions(type_name: str = "InteractionFilter", path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every condition that a filter may hold, also of those that hold others."""
    type_: Any = SCHEMA.type_map[type_name]
    for name, field in type_.fields.items():
        yield (*path, name)
        named = get_named_type(field.type)
        if isinstance(named, GraphQLInputObjectType):
            yield from conditions(named.name, (*path, name))


def type_of(path: tuple[str, ...]) -> Any:
    found: Any = SCHEMA.type_map["InteractionFilter"]
    for name in path:
        found = get_named_type(found).fields[name].type
    return found


CONDITIONS = sorted(conditions())
KEPT = sorted(conditions("InteractionEventFilter"))
"""Those that events keep too."""
FILTERED = [(field, path) for field in LISTS for path in CONDITIONS] + [
    (each, path) for each in STREAMS for path in KEPT
]
LISTED = [path for path in CONDITIONS if isinstance(type_of(path), GraphQLList)]


def nested(path: tuple[str, ...], value: object) -> Any:
    for name in reversed(path):
        value = {name: value}
    return value


def literal(path: tuple[str, ...], text: str) -> str:
    for name in reversed(path):
        text = f"{{{name}: {text}}}"
    return text


def document(field: str, variables: str, filter_: str) -> str:
    if field in STREAMS:
        return f"subscription {variables} {{ {field}(filter: {filter_}) {{ cursor }} }}"
    return f"query {variables} {{ {field}(filter: {filter_}) {{ nodes {{ id }} totalCount }} }}"


@pytest.fixture(scope="module")
async def heard(filled: Filled, lasting_url: str) -> Any:
    async with ears(filled.graph, lasting_url) as opened:
        yield opened


async def refusal(field: str, filled: Filled, heard: Ears, text: str, /, **variables: object) -> tuple[Any, ...]:
    """The code and the argument at fault of the one error that a document is refused with."""
    if field in STREAMS:
        (found,) = await heard.refused(text, **variables)
        return tuple(found)
    (error,) = (await filled.graph.answer(text, **variables))["errors"]
    return (error["extensions"]["code"], *error["extensions"].get("argument", ()))


def test_filter_has_conditions_of_every_kind() -> None:
    assert {("assignee", "userId"), ("kinds",), ("createdAt", "since"), ("botActive",)} <= set(CONDITIONS)
    assert {("kinds",), ("states",), ("labels",), ("reasons",), ("levels",)} <= set(LISTED)


def test_filter_of_events_has_the_conditions_of_lists_but_times() -> None:
    times = {path for path in CONDITIONS if path[0] in ("createdAt", "updatedAt", "latestMessageAt")}
    assert len(times) == 9
    assert set(KEPT) == set(CONDITIONS) - times


# It is refused before there is a statement, so one database is enough.
@pytest.mark.parametrize("lasting_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("field", "path"), FILTERED, ids=lambda each: each if isinstance(each, str) else ".".join(each)
)
async def test_filter_condition_that_is_null_is_refused(
    filled: Filled, heard: Ears, field: str, path: tuple[str, ...]
) -> None:
    taken = "InteractionEventFilter" if field in STREAMS else "InteractionFilter"
    whole = document(field, f"($filter: {taken})", "$filter")
    assert await refusal(field, filled, heard, whole, filter=nested(path, None)) == ("INVALID_INPUT", "filter", *path)
    written = document(field, "", literal(path, "null"))
    assert (await refusal(field, filled, heard, written))[0] == "GRAPHQL_VALIDATION_FAILED"
    inner = document(field, f"($value: {type_of(path)})", literal(path, "$value"))
    code, *argument = await refusal(field, filled, heard, inner, value=None)
    assert code == "INVALID_INPUT"
    assert [str(name).replace("_", "").lower() for name in argument] == ["filter", *(name.lower() for name in path)]


@pytest.mark.parametrize("field", LISTS)
@pytest.mark.parametrize("path", CONDITIONS, ids=".".join)
async def test_filter_condition_that_is_absent_does_not_narrow(
    filled: Filled, field: str, path: tuple[str, ...]
) -> None:
    everything = await filled.graph.read(document(field, "", "{}"))
    assert everything[field]["totalCount"] > 0
    left_out = document(field, f"($value: {type_of(path)})", literal(path, "$value"))
    assert await filled.graph.read(left_out) == everything


@pytest.mark.both_databases
@pytest.mark.parametrize("path", LISTED, ids=".".join)
async def test_filter_list_that_is_empty_matches_nothing(filled: Filled, path: tuple[str, ...]) -> None:
    for field in LISTS:
        text = document(field, f"($value: {type_of(path)})", literal(path, "$value"))
        found = await filled.graph.read(text, value=[])
        assert found == {field: {"nodes": [], "totalCount": 0}}
        assert await filled.graph.read(document(field, "", literal(path, "[]"))) == found


FACTS = {
    "kind": "session",
    "interaction_id": 1,
    "state": "OPEN",
    "assignee_id": 1,
    "customer_id": 1,
    "labels": ["a"],
    "tags": ["b"],
    "topics": ["c"],
    "level": 2,
    "reasons": ["FLAGGED"],
    "bot_active": True,
    "status": "TO_DO",
    "channel": "WHATSAPP",
    "account": "cha_1",
}


@pytest.mark.parametrize("path", LISTED, ids=".".join)
def test_filter_list_that_is_empty_matches_no_event(path: tuple[str, ...]) -> None:
    name = snake(path[0])
    assert condition_of({})(FACTS)
    assert not condition_of({name: []})(FACTS)
    # Such a subscription is found by no key, or by all of them; either way it is sent nothing.
    assert not wanted_keys({name: []})


@pytest.mark.both_databases
@pytest.mark.parametrize("condition", ["userId", "userIdOrNobody"])
async def test_filter_by_me_is_the_callers_own(filled: Filled, condition: str) -> None:
    nested_list = "customers(first: 50) { nodes { interactions(filter: $filter) { nodes { id } } } }"
    lists = " ".join(f"{name}(filter: $filter, first: 50) {{ totalCount nodes {{ id }} }}" for name in LISTS)
    text = f"query($filter: InteractionFilter) {{ {lists} {nested_list} }}"
    found = []
    for actor in (filled.people.admin, filled.people.actors["bo"]):
        by_id = await filled.graph.read(text, actor, filter={"assignee": {condition: f"usr_{actor.user_id}"}})
        assert by_id["interactions"]["nodes"]
        found.append(await filled.graph.read(text, actor, filter={"assignee": {condition: "me"}}))
        assert found[-1] == by_id
        written = (
            f'interactions(filter: {{assignee: {{{condition}: "me"}}}}, first: 50) {{ totalCount nodes {{ id }} }}'
        )
        assert (await filled.graph.read(f"{{ {written} }}", actor)) == {"interactions": by_id["interactions"]}
    assert found[0] != found[1]


def test_filter_conditions_take_no_null() -> None:
    for path in CONDITIONS:
        assert not isinstance(type_of(path), GraphQLNonNull), path
