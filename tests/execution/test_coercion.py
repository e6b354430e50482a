from contextlib import suppress
from typing import Any

import orjson
import pytest
from graphql import OperationDefinitionNode, build_schema, get_variable_values, parse, type_from_ast
from graphql.execution.values import VariableValues
from graphql.utilities import validate_input_value
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidInput
from app.execution.coercion import BadVariables, Coercions, VariableReader
from app.execution.faults import MOST_FAULTS, Coercer, Enough
from app.graph.strawberry_adapter.reading import neutral

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


def declaration(*names: str) -> OperationDefinitionNode:
    text = "query (" + ", ".join(f"${name}: {DECLARED[name]}" for name in names) + ") { f }"
    operation = parse(text).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return operation


def reader(*names: str) -> VariableReader:
    return Coercions(schema).variables(declaration(*names))


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
def test_coercion_agrees_with_graphql_core(name: str, value: Any) -> None:
    read = reader(name)
    expected = get_variable_values(schema, declaration(name).variable_definitions or (), {name: value})
    if isinstance(expected, VariableValues):
        assert read.neutral({name: value}) == expected.coerced
        return
    with pytest.raises(BadVariables) as caught:
        read.neutral({name: value})
    assert 1 <= len(caught.value.entries) <= MOST_FAULTS
    for entry in caught.value.entries:
        assert entry["message"].startswith(f"Variable '${name}' does not fit: ")  # type: ignore[attr-defined]
        assert entry["extensions"]["argument"][0] == name  # type: ignore[index]


@given(st.sampled_from(sorted(DECLARED)), values)
def test_faults_are_at_the_places_that_graphql_core_names(name: str, value: Any) -> None:
    places: list[tuple[object, ...]] = []
    type_ = type_from_ast(schema, declaration(name).variable_definitions[0].type)  # type: ignore[index]
    validate_input_value(value, type_, lambda _error, path: places.append(tuple(path)))  # type: ignore[arg-type]
    coercer = Coercer()
    with suppress(Enough):
        coercer.coerce(type_, value, None)  # type: ignore[arg-type]
    # What is wrong with a choice is one fault here, at the choice.
    found = {fault.path for fault in coercer.faults}
    assert found <= set(places) | {place[:-1] for place in places}
    assert bool(found) == bool(places)
    if "Choice" not in str(type_):
        assert found == set(places)


FAULTS: list[tuple[str, Any, str, list[str]]] = [
    ("i", "3", "Expected Int, found a string.", ["i"]),
    ("i", [3], "Expected Int, found a list.", ["i"]),
    ("i", 2**31, "Expected Int, a whole number of 32 bits.", ["i"]),
    ("ri", None, "Expected Int!, found null.", ["ri"]),
    ("s", {"secret": 1}, "Expected String, found an object.", ["s"]),
    ("bo", 1, "Expected Boolean, found a number.", ["bo"]),
    ("id", True, "Expected ID, found a boolean.", ["id"]),
    ("e", "secret", "Expected one of the values of the enum 'Colour'.", ["e"]),
    ("e", 5, "Expected Colour, found a number.", ["e"]),
    ("l", [1, None], "Expected Int!, found null.", ["l", "1"]),
    ("ll", [["a"], [1]], "Expected String, found a number.", ["ll", "1", "0"]),
    ("o", [], "Expected Inner, found a list.", ["o"]),
    ("o", {}, "Field 'a' of type 'Int!' is required by type 'Inner'.", ["o"]),
    ("o", {"a": 1, "aa": "secret"}, "Field 'aa' is not defined by type 'Inner'.", ["o"]),
    ("o", {"a": 1, "x" * 900: 1}, f"Field '{'x' * 80}…' is not defined by type 'Inner'.", ["o"]),
    (
        "o",
        {"a": 1, "next": {"a": 1, "b": ["secret"]}},
        "Expected one of the values of the enum 'Colour'.",
        ["o", "next", "b", "0"],
    ),
    ("c", {}, "Give exactly one field.", ["c"]),
    ("c", {"x": 1, "y": "secret"}, "Give exactly one field.", ["c"]),
    ("c", {"x": None}, "Give exactly one field.", ["c"]),
]


@pytest.mark.parametrize(("name", "value", "message", "argument"), FAULTS)
def test_faults_name_types_and_places_and_no_values(name: str, value: Any, message: str, argument: list[str]) -> None:
    with pytest.raises(BadVariables) as caught:
        reader(name).neutral({name: value})
    assert caught.value.entries == [
        {
            "message": f"Variable '${name}' does not fit: {message}",
            "locations": [{"line": 1, "column": 8}],
            "extensions": {"code": "BAD_USER_INPUT", "argument": argument},
        }
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("o", {f"k{number}": number for number in range(9_000)}),
        ("l", [{}] * 4_000),
        ("l", [[]] * 4_000),
        ("l", ["1"] * 4_000),
        ("o", {"a": 1, "b": ["BLUE"] * 4_000}),
        ("o", [{"a": 1}] * 4_000),
        ("c", {f"k{number}": number for number in range(9_000)}),
    ],
)
def test_coercion_stops_at_the_twentieth_fault(name: str, value: Any) -> None:
    read = reader(name)
    with pytest.raises(BadVariables) as caught:
        read.neutral({name: value})
    assert len(caught.value.entries) <= MOST_FAULTS
    assert read.coercions.visits <= MOST_FAULTS + 3
    assert len(orjson.dumps(caught.value.entries)) < 10_000


def test_coercion_looks_at_each_value_once() -> None:
    visits = []
    for size in (500, 1_000):
        read = reader("id", "o")
        inner: Any = {"a": 1.0}
        for _ in range(40):
            inner = {"a": 1.0, "b": "RED", "next": inner}
        with pytest.raises(BadVariables):
            read.neutral({"id": {}, "o": {"a": 1.0, "b": ["RED"] * size, "next": inner}})
        visits.append(read.coercions.visits)
    assert visits[1] - visits[0] == 500


def test_values_of_recursive_types_nested_too_deeply_are_a_fault() -> None:
    inner: Any = {"a": 1}
    for _ in range(120):
        inner = {"a": 1, "next": inner}
    coercer = Coercer()
    coercer.coerce(schema.type_map["Inner"], inner, None)  # type: ignore[arg-type]
    assert {fault.message for fault in coercer.faults} == {"This is nested too deeply."}


def test_variables_that_are_not_declared_are_not_looked_at() -> None:
    assert reader("i").neutral({"i": 1, "unknown": ["\0", object()]}) == {"i": 1}


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
