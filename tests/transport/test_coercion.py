from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidInput
from app.transport.coercion import BadVariables, Coercions, VariableReader
from app.transport.neutral import neutral

schema = build_schema(
    """
    enum Colour { RED GREEN }
    input Inner { a: Int!, b: [Colour!], next: Inner, c: String = "c" }
    input Choice @oneOf { x: Int, y: String }
    scalar Anything
    type Query { f(a: Float, b: ID, c: Boolean, e: Colour, o: Inner, p: Choice, any: Anything): Int }
    """
)
DECLARED = {
    "i": "Int",
    "ri": "Int!",
    "di": "Int = 3",
    "s": "String",
    "id": "ID",
    "fl": "Float",
    "bo": "Boolean",
    "e": "Colour",
    "l": "[Int!]",
    "ll": "[[String]]",
    "o": "Inner",
    "c": "Choice",
    "any": "Anything",
}


def reader(*names: str) -> VariableReader:
    text = "query (" + ", ".join(f"${name}: {DECLARED[name]}" for name in names) + ") { f }"
    operation = parse(text).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return Coercions(schema).variables(operation)


plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("aé", max_size=3)
)
plain |= st.sampled_from(["RED", "GREEN", "3"])
keys = st.sampled_from(["a", "b", "c", "next", "x", "y"])
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=6
)


@given(st.sampled_from(sorted(DECLARED)), values)
def test_the_direct_way_agrees_with_graphql_core(name: str, value: Any) -> None:
    read = reader(name)
    try:
        expected: Any = read.sourced({name: value}).coerced
    except BadVariables as bad:
        with pytest.raises(BadVariables) as caught:
            read.neutral({name: value})
        refused = [bad.entries, caught.value.entries]
    else:
        assert read.neutral({name: value}) == expected
        return
    assert refused[0] == refused[1]


def test_absent_variables_are_absent_or_their_default() -> None:
    assert reader("i", "di").neutral({}) == {"di": 3}
    assert reader("i", "di").neutral({"i": None, "di": None}) == {"i": None, "di": None}
    assert reader("i").neutral({"unknown": "x"}) == {}
    with pytest.raises(BadVariables) as caught:
        reader("ri").neutral({})
    assert caught.value.entries[0]["extensions"] == {"code": "BAD_USER_INPUT", "argument": ["ri"]}


def test_defaults_of_input_fields_are_filled_in() -> None:
    assert reader("o").neutral({"o": {"a": 1}}) == {"o": {"a": 1, "c": "c"}}
    assert reader("o").neutral({"o": {"a": 1, "next": {"a": 2, "c": None}}}) == {
        "o": {"a": 1, "c": "c", "next": {"a": 2, "c": None}}
    }


def test_values_nested_too_deeply_are_refused() -> None:
    anything: Any = []
    for _ in range(300):
        anything = [anything]
    with pytest.raises(InvalidInput) as caught:
        reader("any").neutral({"any": anything})
    assert caught.value.message == "This is nested too deeply."


def test_enums_become_their_names() -> None:
    assert neutral(schema.type_map["Colour"])("RED") == "RED"  # type: ignore[arg-type]
