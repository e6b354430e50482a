"""Literals in documents are judged as graphql-core judges them, in linear time and without their text in messages."""

from typing import Any

import pytest
from graphql import GraphQLError, GraphQLInputType, ValueNode, ValuesOfCorrectTypeRule, build_schema, parse, validate
from hypothesis import given
from hypothesis import strategies as st

from app.execution.documents import RULES
from app.execution.literals import LiteralsOfCorrectType

schema = build_schema(
    """
    enum Colour { RED GREEN }
    input Inner { a: Int!, b: [Colour!], next: Inner, c: String = "c" }
    scalar Anything
    type Query { f(i: Int, r: Int!, s: String, fl: Float, id: ID, bo: Boolean, e: Colour, l: [Int!], ll: [[String]],
                   o: Inner, any: Anything): Int }
    """
)
names = st.sampled_from(["i", "r", "s", "fl", "id", "bo", "e", "l", "ll", "o", "any"])
fields = st.sampled_from(["a", "b", "c", "next", "x"])
plain = st.sampled_from(["1", "-1", "3000000000", "1.5", '"a"', '"1"', "true", "null", "RED", "BLUE", "$v"])
literals = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{' '.join(items)}]")
        | st.dictionaries(fields, inner, max_size=3).map(
            lambda found: "{" + " ".join(f"{name}: {value}" for name, value in found.items()) + "}"
        )
    ),
    max_leaves=6,
)


def faults(rule: Any, text: str, most: int = 1_000) -> list[GraphQLError]:
    return validate(schema, parse(f"query ($v: Int) {{ f({text}) }}"), [rule], most)


@given(names, literals)
def test_literals_are_judged_as_graphql_core_judges_them(name: str, literal: str) -> None:
    ours = faults(LiteralsOfCorrectType, f"{name}: {literal}")
    theirs = faults(ValuesOfCorrectTypeRule, f"{name}: {literal}")
    assert len(ours) == len(theirs)
    # It gives no place for some faults of scalars.
    assert {str(fault.locations) for fault in theirs if fault.locations} <= {str(fault.locations) for fault in ours}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("i: [{secret: 1}]", "Expected Int."),
        ("r: null", "Expected Int!, found null."),
        ("i: 3000000000", "Expected Int."),
        ("e: SECRET", "Expected one of the values of the enum 'Colour'."),
        ("o: [SECRET]", "Expected Inner, an object."),
        ("o: {a: 1, secret: 1}", "Field 'secret' is not defined by type 'Inner'."),
        ('o: {c: "secret"}', "Field 'a' of type 'Int!' is required by type 'Inner'."),
    ],
)
def test_faults_of_literals_name_types(text: str, message: str) -> None:
    assert [fault.message for fault in faults(LiteralsOfCorrectType, text)] == [message]


@pytest.mark.parametrize(
    "text",
    [
        "o: {" + " ".join(f"k{number}: 1" for number in range(1_500)) + "}",
        "l: [" + "{} " * 1_500 + "]",
        "o: {a: 1, b: [" + "BLUE " * 4_000 + "]}",
        "i: [" + "[1] " * 1_500 + "]",
    ],
)
def test_faults_of_literals_do_not_grow_with_the_document(text: str) -> None:
    found = faults(LiteralsOfCorrectType, text, 20)
    assert len(found) <= 21
    assert sum(len(fault.message) for fault in found) < 2_000


def test_literals_are_looked_at_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[ValueNode] = []
    check = LiteralsOfCorrectType._check

    def counted(self: LiteralsOfCorrectType, node: ValueNode, type_: GraphQLInputType) -> Any:
        looked.append(node)
        return check(self, node, type_)

    monkeypatch.setattr(LiteralsOfCorrectType, "_check", counted)
    for size in (500, 1_000):
        looked.clear()
        assert not faults(LiteralsOfCorrectType, f"o: {{a: 1, b: [{'RED ' * size}]}}")
        assert len(looked) == size + 3


def test_the_standard_rule_that_prints_literals_is_not_used() -> None:
    assert ValuesOfCorrectTypeRule not in RULES
    assert LiteralsOfCorrectType in RULES
