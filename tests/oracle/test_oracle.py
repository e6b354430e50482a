"""The graph and graphql-core over plain Python objects answer alike, whatever is asked and whoever asks."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest
from graphql import get_named_type
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.actor import Actor
from tests.graph.people import KIND_NAMES
from tests.oracle import visibility
from tests.oracle.conftest import SCHEMA, Pair
from tests.oracle.executable import ask, document_of
from tests.oracle.operations import Operation, operations
from tests.oracle.roots import ROOTS
from tests.oracle.whole import selection
from tests.oracle.world import KIND_TYPES, PREFIXES, Asking
from tests.sizes import sized

pytestmark = pytest.mark.anyio

EXAMPLES = sized(4, 12)
"""Operations that are generated of each root field."""

_FURTHER = sized(3, 8)
"""Objects of each type, beside the last one, that are asked for."""


async def compare(pair: Pair, actor: Actor, text: str, variables: Mapping[str, Any] | None = None) -> None:
    """Ask both, and fail where they differ."""
    given = {} if variables is None else variables
    theirs = ask(SCHEMA, text, Asking(pair.world, actor), given)
    ours = await pair.graph.answer(text, actor, **given)
    where = f"{pair.graph.database.dialect.name}, {actor.name}: {text} {dict(given)}"
    if any(each["extensions"]["code"] == "TOO_COMPLEX" for each in ours.get("errors", ())):
        return
    errors = [{"path": each.get("path"), "code": each["extensions"]["code"]} for each in ours.get("errors", ())]
    expected = theirs.get("errors", [])
    # Who runs root fields one after the other stops at the first that may not be null; we answer for all of them.
    found = errors if theirs["data"] is not None else [each for each in errors if each in expected]
    assert sorted(found, key=repr) == sorted(expected, key=repr), where
    assert list(differences(ours["data"], theirs["data"])) == [], where


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Where two answers differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        for key in ours:
            yield from differences(ours[key], theirs[key], f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(mine, other, f"{path}[{index}]")
    elif ours != theirs or type(ours) is not type(theirs):
        yield f"{path}: {ours!r} is not {theirs!r}"


@pytest.mark.parametrize("name", sorted(set(PREFIXES.values())))
async def test_every_field_of_every_type_is_what_is_stored(pairs: list[Pair], name: str) -> None:
    prefix = next(prefix for prefix, each in PREFIXES.items() if each == name)
    text = f"query($id: ID!) {{ node(id: $id) {{ ... on {name} {selection(SCHEMA, SCHEMA.type_map[name], 1)} }} }}"
    keys = sorted(pairs[0].world.objects[name])
    assert keys, f"there is no {name}"
    for number, pair in enumerate(pairs):
        assert sorted(pair.world.objects[name]) == keys
        # The first is asked of both; of what narrowed callers see of both, the matrix of visibility below tells.
        for actor in (pair.actors[0], *pair.actors[sized(1 + number, 1) :: sized(len(pairs), 1)]):
            await compare(pair, actor, text, {"id": f"{prefix}_{keys[-1]}"})
    # What one of them answers is what the other does: each of the further objects is asked of one, in turn.
    for place, key in enumerate((*keys[:: max(1, len(keys) // _FURTHER)], 10_000)):
        pair = pairs[place // 2 % 2]
        await compare(pair, pair.actors[place % 2], text, {"id": f"{prefix}_{key}"})


@pytest.mark.parametrize("root", ["interactions", "attentionQueue"])
async def test_mixed_lists_hold_every_field_of_every_kind(pairs: list[Pair], root: str) -> None:
    assert SCHEMA.query_type is not None
    connection = get_named_type(SCHEMA.query_type.fields[root].type)
    text = f"{{ {root}(first: 100) {selection(SCHEMA, connection, 1)} }}"
    for pair in pairs:
        for actor in pair.actors:
            await compare(pair, actor, text)


async def test_neighbours_of_neighbours_are_found(pairs: list[Pair]) -> None:
    texts = (
        (
            "{ profiles(first: 5) { edges { node { name customers(first: 5) { edges { node { id "
            "interactions(first: 3) { totalCount edges { node { id kind "
            "customer { id profile { id interactions(first: 1) { edges { node { id } } } } } "
            "messages(last: 2) { edges { node { text reference { id text user { name } } "
            "latestError { originalMessage } "
            "interaction { id latestNote { author { presence { present } } } } } } } } } } } } } } } } }"
        ),
        (
            "{ interactions(filter: {kinds: [SESSION, CHAT_SESSION]}) { edges { node { id ... on Session { tags "
            "suggestedMessages { edges { node { content } } } } ... on ChatSession { topic { members { edges { node { "
            "user { id } topic { topicId } } } } } transferTo { id } } "
            "... on Conversation { channelAgent { id } } } } } }"
        ),
        (
            "{ a: interactions(first: 2) { edges { node { id messages(first: 1) { edges { node { id } } } } } } "
            "b: interactions(last: 2) { edges { node { id messages(first: 2) { edges { node { text } } } } } } }"
        ),
    )
    for pair in pairs:
        for actor in pair.actors:
            for text in texts:
                await compare(pair, actor, text)


async def test_visibility_is_what_the_permissions_say(pairs: list[Pair]) -> None:
    world, asking = pairs[0].world, visibility.actors(pairs[0].actors)
    asked = list(visibility.rows(SCHEMA, world))
    assert SCHEMA.query_type is not None
    assert {each.name for each in asked} == {f"Query.{name}" for name in SCHEMA.query_type.fields}
    assert all(each.variables for each in asked)
    for row in asked:
        for variables, actor in product(row.variables, asking):
            theirs = ask(SCHEMA, row.text, Asking(world, actor), variables)
            expected = sorted(codes(theirs), key=repr)
            for pair in pairs:
                # What is there has the same ids in both.
                ours = await pair.graph.answer(row.text, actor, **variables)
                where = f"{pair.graph.database.dialect.name}, {actor.name}: {row.text} {variables}"
                assert sorted(codes(ours), key=repr) == expected, where
                assert list(differences(ours["data"], theirs["data"])) == [], where


def codes(answer: Mapping[str, Any]) -> list[tuple[Any, str]]:
    """The path and the code of each error."""
    return [
        (each.get("path"), each["code"] if "code" in each else each["extensions"]["code"])
        for each in answer.get("errors", ())
    ]


async def test_visibility_is_asked_of_every_cell(pairs: list[Pair]) -> None:
    for pair in pairs:
        asking = visibility.actors(pair.actors)
        for kind, name in KIND_TYPES.items():
            place = KIND_NAMES.index(kind)
            for form in visibility.FORMS:
                who = [each for number, each in enumerate(asking) if visibility.form(place, number) == form]
                found = {visibility.cell(row, actor) for actor in who for row in pair.world.all(name)}
                assert len(who) == len(visibility.POSITIONS)
                assert found == visibility.CELLS, (kind, form)


@pytest.mark.parametrize("root", sorted(ROOTS))
async def test_whatever_is_asked_is_answered_alike(pairs: list[Pair], root: str) -> None:
    @settings(
        derandomize=True, deadline=None, max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.data())
    def generate(data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(pairs[0].actors) - 1))
        operation = data.draw(operations(SCHEMA, pairs[0].pools, root))
        found.append((number, operation))

    found: list[tuple[int, Operation]] = []
    generate()
    for number, operation in found:
        if document_of(SCHEMA, operation.text) is None:
            continue
        for pair in pairs:
            await compare(pair, pair.actors[number], operation.text, operation.variables)
