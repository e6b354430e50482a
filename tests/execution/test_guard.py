import pytest
from graphql import get_introspection_query, parse

from app.core.errors import TooComplex
from app.execution.guard import Guard
from app.execution.limits import BadDefinition, Limits
from app.schema import build_schema
from tests.kit.library import SLICES

BOOK = 'book(id: "boo_1")'


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard(build_schema(SLICES), Limits())


def refusal(guard: Guard, text: str) -> str:
    with pytest.raises(TooComplex) as caught:
        guard.check(parse(text))
    return caught.value.message


def spread_twice(levels: int, inner: str) -> str:
    """A document of a few lines that is 2 ** levels long when written out."""
    fragments = [f"fragment A{i} on Book {{ ...A{i + 1} x: author {{ id }} ...A{i + 1} }}" for i in range(levels)]
    return f"{{ {BOOK} {{ ...A0 }} }} {' '.join(fragments)} fragment A{levels} on Book {{ {inner} }}"


def nested(depth: int) -> str:
    """Fields nested `depth` deep; 2 levels are the root field and its leaf."""
    inner = depth - 2
    return "{ " + BOOK + " { " + "author { " * inner + "id" + " }" * inner + " } }"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (nested(33), "Fields are nested 33 deep; the limit is a depth of 32."),
        ("{ " + "__typename " * 51 + "}", "The document has 51 root fields; the limit is 50."),
        (
            "{ " + BOOK + " { " + " ".join(f"a{i}: id" for i in range(201)) + " } }",
            "The document has 201 aliases; the limit is 200.",
        ),
        (spread_twice(12, "id"), "The document has 20,478 selections; the limit is 2,000."),
        (
            "{ " + BOOK + " { " + "id @skip(if: false) " * 101 + "} }",
            "The document has too many directives; the limit is 100.",
        ),
        (
            "{ " + BOOK + " { " + "author { id } " * 33 + "} }",
            "The document has too many fields of the same response name to compare; the limit is 1,000.",
        ),
        (
            "{ " + BOOK + " { " + "... { " * 128 + "id" + " }" * 128 + " } }",
            "Fragments are nested 130 deep; the limit is a nesting of 128.",
        ),
        (
            "{ " + " ".join(f"...F{i}" for i in range(101)) + " } ",
            None,
        ),
        (
            "{ ...F0 } "
            + " ".join(f"fragment F{i} on Query {{ ...F{i + 1} }}" for i in range(60))
            + " fragment F60 on Query { __typename }",
            "The document has too many fragments that spread each other; the limit is 1,500.",
        ),
        (
            " ".join(f"query Q{i} {{ __typename }}" for i in range(101)),
            "The document has too many operations and fragments; the limit is 100.",
        ),
        (
            "{ authors(first: 100) { edges { node { books(last: 100) { edges { node { author { id } } } } } } } }",
            "The operation may read as much as 20,100 objects; the limit is a cost of 20,000.",
        ),
    ],
)
def test_every_limit_is_named(guard: Guard, text: str, limit: str | None) -> None:
    if limit is None:
        assert guard.check(parse(text)) == frozenset()
    else:
        assert refusal(guard, text) == limit


@pytest.mark.parametrize(
    "text",
    [
        nested(32),
        "{ " + BOOK + " { " + " ".join(f"a{i}: id" for i in range(200)) + " } }",
        "{ " + "__typename " * 45 + "}",
        "{ authors(first: 100) { edges { node { books(first: 100) { edges { node { id } } } } } } }",
        get_introspection_query(),
        get_introspection_query(input_value_deprecation=True, specified_by_url=True, schema_description=True),
    ],
)
def test_what_clients_do_is_within_the_limits(guard: Guard, text: str) -> None:
    assert guard.check(parse(text)) == frozenset()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
            "Cannot spread fragment 'A' within itself.",
        ),
        ("{ ...A } fragment A on Query { ...A }", "Cannot spread fragment 'A' within itself."),
        ("{ __typename } fragment A on Query { __typename }", "Fragment 'A' is never used."),
        (
            "{ ...A } fragment A on Query { a: __typename } fragment A on Query { b: __typename }",
            "There can be only one fragment named 'A'.",
        ),
        ("{ __typename } { __typename }", "There can be only one operation of each name."),
    ],
)
def test_a_definition_that_could_hide_work_is_refused(guard: Guard, text: str, message: str) -> None:
    with pytest.raises(BadDefinition) as caught:
        guard.check(parse(text))
    assert str(caught.value) == message


def test_introspection_may_read_twice_what_the_standard_query_reads(guard: Guard) -> None:
    fragment = "fragment S on __Schema { types { fields { args { type { fields { args { name } } } } } } }"
    assert guard.check(parse("{ __schema { types { fields { name } } } }")) == frozenset()
    assert "introspection" in refusal(
        guard, "{ " + " ".join(f"a{i}: __schema {{ ...S }}" for i in range(20)) + " } " + fragment
    )


def test_the_work_is_linear_in_the_document(guard: Guard) -> None:
    def visits(levels: int) -> int:
        before = guard.visits
        with pytest.raises(TooComplex):
            guard.check(parse(spread_twice(levels, "id")))
        return guard.visits - before

    # Written out these are 2 ** 20 and 2 ** 40 fields long.
    assert (visits(20), visits(40)) == (83, 163)


def test_a_page_size_in_a_variable_is_checked_with_its_value(guard: Guard) -> None:
    document = parse(
        "query A($n: Int, $m: Int) { authors(first: $n) { edges { node { books(first: $m) { edges { node {"
        " author { books(first: $m) { edges { node { id } } } } } } } } } } } query B { __typename }"
    )
    assert guard.check(document) == {"A"}
    guard.check_cost(document, "A", {"n": 10, "m": 10})
    with pytest.raises(TooComplex, match=r"may read as much as 1,020,100 objects"):
        guard.check_cost(document, "A", {"n": 100, "m": 100})
