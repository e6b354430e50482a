"""The graph and graphql-core over plain Python objects answer alike, whatever is asked and whoever asks."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import pytest
from graphql import get_named_type
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.graph.people import KIND_NAMES
from tests.oracle import visibility
from tests.oracle.conftest import Pair, printed_schema
from tests.oracle.executable import ask, document_of
from tests.oracle.operations import Operation, operations
from tests.oracle.roots import ROOTS
from tests.oracle.whole import selection
from tests.oracle.world import END_OF_LOG, KIND_TYPES, PREFIXES, Asking
from tests.sizes import sized

pytestmark = pytest.mark.anyio

EXAMPLES = sized(4, 12)
"""Operations that are generated of each root field."""

_FURTHER = sized(3, 8)
"""Objects of each type, beside the last one, that are asked for."""


async def compare(pairs: Sequence[Pair], number: int, text: str, variables: Mapping[str, Any] | None = None) -> None:
    """Ask the graph over each database and the plain resolvers, as the actor of this number; fail where they differ.

    The plain resolvers take longer than the databases: they are asked again only where a database does not answer as
    the one before, because it has other secrets and other places in its log."""
    given = {} if variables is None else variables
    theirs: dict[str, Any] | None = None
    for pair in pairs:
        actor = pair.actors[number]
        ours = await pair.graph.answer(text, actor, **given)
        if any(each["extensions"]["code"] == "TOO_COMPLEX" for each in ours.get("errors", ())):
            continue
        if theirs is None or faults(pair, ours, theirs):
            theirs = ask(printed_schema(), text, Asking(pair.world, actor), given)
            where = f"{pair.graph.database.dialect.name}, {actor.name}: {text} {dict(given)}"
            assert faults(pair, ours, theirs) == [], where


def faults(pair: Pair, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """In what the answer of a graph is another one than that of the plain resolvers."""
    errors = [{"path": each.get("path"), "code": each["extensions"]["code"]} for each in ours.get("errors", ())]
    wanted = theirs.get("errors", [])
    # Who runs root fields one after the other stops at the first that may not be null; we answer for all of them.
    found = errors if theirs["data"] is not None else [each for each in errors if each in wanted]
    refused = [] if sorted(found, key=repr) == sorted(wanted, key=repr) else [f"{found!r} is not {wanted!r}"]
    return [*refused, *differences(ours["data"], theirs["data"], pair.log_cursor)]


def differences(ours: Any, theirs: Any, log_cursor: str, path: str = "") -> Iterator[str]:
    """Where two answers differ, ours of a log that ends at the cursor."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        for key in ours:
            yield from differences(ours[key], theirs[key], log_cursor, f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(mine, other, log_cursor, f"{path}[{index}]")
    elif ours != (log_cursor if theirs == END_OF_LOG else theirs) or type(ours) is not type(theirs):
        yield f"{path}: {ours!r} is not {theirs!r}"


@pytest.mark.parametrize("name", sorted(set(PREFIXES.values())))
async def test_every_field_of_every_type_is_what_is_stored(pairs: list[Pair], name: str) -> None:
    prefix = next(prefix for prefix, each in PREFIXES.items() if each == name)
    whole = selection(printed_schema(), printed_schema().type_map[name], 1)
    text = f"query($id: ID!) {{ node(id: $id) {{ ... on {name} {whole} }} }}"
    keys = sorted(pairs[0].world.objects[name])
    assert keys, f"there is no {name}"
    for pair in pairs:
        assert sorted(pair.world.objects[name]) == keys
    # The first is asked of both; of what narrowed callers see of both, the matrix of visibility below tells.
    for number in range(len(pairs[0].actors)):
        asked = sized(pairs if number == 0 else [pairs[1 - number % 2]], pairs)
        await compare(asked, number, text, {"id": f"{prefix}_{keys[-1]}"})
    # What one of them answers is what the other does: each of the further objects is asked of one, in turn.
    for place, key in enumerate((*keys[:: max(1, len(keys) // _FURTHER)], 10_000)):
        await compare([pairs[place // 2 % 2]], place % 2, text, {"id": f"{prefix}_{key}"})


@pytest.mark.parametrize("root", ["interactions", "attentionQueue"])
async def test_mixed_lists_hold_every_field_of_every_kind(pairs: list[Pair], root: str) -> None:
    schema = printed_schema()
    assert schema.query_type is not None
    connection = get_named_type(schema.query_type.fields[root].type)
    text = f"{{ {root}(first: 100) {selection(schema, connection, 1)} }}"
    for number in range(len(pairs[0].actors)):
        await compare(pairs, number, text)


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
    for number in range(len(pairs[0].actors)):
        for text in texts:
            await compare(pairs, number, text)


async def test_visibility_is_what_the_permissions_say(pairs: list[Pair]) -> None:
    schema, world, asking = printed_schema(), pairs[0].world, visibility.actors(pairs[0].actors)
    asked = list(visibility.rows(schema, world))
    assert schema.query_type is not None
    assert {each.name for each in asked} == {f"Query.{name}" for name in schema.query_type.fields}
    assert all(each.variables for each in asked)
    for row in asked:
        for variables, actor in product(row.variables, asking):
            theirs = ask(schema, row.text, Asking(world, actor), variables)
            expected = sorted(codes(theirs), key=repr)
            for pair in pairs:
                # What is there has the same ids in both.
                ours = await pair.graph.answer(row.text, actor, **variables)
                where = f"{pair.graph.database.dialect.name}, {actor.name}: {row.text} {variables}"
                assert sorted(codes(ours), key=repr) == expected, where
                assert list(differences(ours["data"], theirs["data"], pair.log_cursor)) == [], where


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
        operation = data.draw(operations(printed_schema(), pairs[0].pools, root))
        found.append((number, operation))

    found: list[tuple[int, Operation]] = []
    generate()
    for number, operation in found:
        if document_of(printed_schema(), operation.text) is None:
            continue
        await compare(pairs, number, operation.text, operation.variables)
