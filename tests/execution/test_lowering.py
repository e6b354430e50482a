from typing import Any

import pytest
from graphql import OperationDefinitionNode, OperationType, parse, validate

from app.core.errors import InvalidInput
from app.execution.coercion import Coercions
from app.execution.lowering import Lowering, condition_names
from app.graph.strawberry_adapter.reading import type_facts
from app.schema import build_schema
from app.selection.tree import Field
from tests.kit.library import SLICES

schema = build_schema(SLICES)
lowering = Lowering(schema)


def lower(text: str, conditions: dict[str, object] | None = None) -> list[Field]:
    document = parse(text)
    assert validate(schema, document) == []
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    assert operation.operation is OperationType.QUERY
    return [root.field for root in lowering.roots(document, operation, conditions or {}).roots]


def shape(field: Field) -> Any:
    """Names and keys of a field and what is under it, by concrete type."""
    name = field.name if field.name == field.key else f"{field.key}: {field.name}"
    if field.children is None:
        return name
    return {name: {type_: [shape(child) for child in children] for type_, children in field.children.items()}}


def test_fragments_are_merged_for_each_concrete_type() -> None:
    (node,) = lower(
        """{ node(id: "boo_1") { id ...N ... on Author { name books { totalCount } } ... on Node { again: id } } }
           fragment N on Node { ... on Book { title author { id } } ...B __typename }
           fragment B on Book { author { name } }"""
    )
    assert shape(node) == {
        "node": {
            "Book": ["id", "title", {"author": {"Author": ["id", "name"]}}, "__typename", "again: id"],
            "Author": ["id", "__typename", "name", {"books": {"BookConnection": ["totalCount"]}}, "again: id"],
        }
    }


def test_what_is_selected_on_an_interface_is_lowered_once() -> None:
    (node,) = lower('{ node(id: "boo_1") { id } }')
    assert node.children is not None
    assert node.children["Book"][0] is node.children["Author"][0]


def test_skip_and_include_are_applied() -> None:
    text = """query ($a: Boolean!) { book(id: "boo_1") {
        id @skip(if: $a) title @include(if: $a) ... @include(if: false) { note } ...G @skip(if: $a) }
        b: book(id: "boo_1") @skip(if: true) { id } }
        fragment G on Book { genre @include(if: true) }"""
    assert condition_names(parse(text)) == ("a",)
    assert [shape(field) for field in lower(text, {"a": True})] == [{"book": {"Book": ["title"]}}]
    assert [shape(field) for field in lower(text, {"a": False})] == [{"book": {"Book": ["id", "genre"]}}]


@pytest.mark.parametrize(
    ("arguments", "variables", "values"),
    [
        ("", {}, {}),
        ("first: 3", {}, {"first": 3}),
        ("first: null", {}, {"first": None}),
        ("first: $n", {}, {}),
        ("first: $n", {"n": None}, {"first": None}),
        ("first: $n, after: $s", {"n": 5, "s": "x"}, {"first": 5, "after": "x"}),
        ("filter: {genres: [NOVEL, ESSAY]}", {}, {"filter": {"genres": ["NOVEL", "ESSAY"]}}),
        ("filter: {genres: ESSAY}", {}, {"filter": {"genres": ["ESSAY"]}}),
        ("filter: {genres: [$g, ESSAY]}", {"g": "NOVEL"}, {"filter": {"genres": ["NOVEL", "ESSAY"]}}),
        ("filter: {genres: $gs, title: $s}", {"gs": ["NOVEL"]}, {"filter": {"genres": ["NOVEL"]}}),
        ("filter: $f", {"f": {"genres": None, "title": "t"}}, {"filter": {"genres": None, "title": "t"}}),
        ("filter: $f", {}, {}),
    ],
)
def test_arguments_are_constants_or_look_ups(arguments: str, variables: dict[str, Any], values: dict[str, Any]) -> None:
    declared = "query ($n: Int, $s: String, $g: Genre! = NOVEL, $gs: [Genre!], $f: BookFilter) "
    document = parse(f"{declared} {{ books{f'({arguments})' if arguments else ''} {{ totalCount }} }}")
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    (root,), constants = lowering.roots(document, operation, {})
    given = Coercions(schema).variables(operation).neutral(variables)
    assert root.field.arguments({**given, **constants}) == values


def shapes(*texts: str) -> int:
    """How many different shapes the only root fields of these documents have."""
    found = set()
    for text in texts:
        document = parse(text)
        assert validate(schema, document) == []
        operation = document.definitions[0]
        assert isinstance(operation, OperationDefinitionNode)
        found.add(lowering.roots(document, operation, {}).roots[0].shape)
    return len(found)


def test_shape_is_the_same_whatever_the_constants() -> None:
    book = '{{ book(id: "{}") {{ id author {{ books(first: {}, filter: {{genres: [{}]}}) {{ totalCount }} }} }} }}'
    assert shapes(book.format("boo_1", 1, "NOVEL"), book.format("boo_2", 20, "ESSAY, NOVEL")) == 1
    assert shapes("{ books { totalCount } }", "query A { ...B } fragment B on Query { books { totalCount } }") == 1


@pytest.mark.parametrize(
    "other",
    [
        "{ authors(first: 1) { nodes { id } } }",
        "{ b: books(first: 1) { nodes { id } } }",
        "{ books(last: 1) { nodes { id } } }",
        "{ books { nodes { id } } }",
        "{ books(first: 1) { nodes { title } } }",
        "{ books(first: 1) { nodes { id: title } } }",
        "{ books(first: 1) { nodes { id title } } }",
        "{ books(first: 1) { edges { node { id } } } }",
        "query ($n: Int) { books(first: $n) { nodes { id } } }",
    ],
)
def test_shape_differs_with_anything_but_constants(other: str) -> None:
    assert shapes("{ books(first: 1) { nodes { id } } }", other) == 2


def test_shape_tells_variables_apart() -> None:
    text = "query ($a: Int, $b: Int) {{ books(first: ${}) {{ nodes {{ id }} }} authors(first: ${}) {{ totalCount }} }}"
    assert shapes(text.format("a", "b"), text.format("b", "a")) == 2
    nested = "query ($t: String!) {{ books(filter: {{title: $t{}}}) {{ totalCount }} }}"
    assert shapes(nested.format(", genres: [NOVEL]"), nested.format(", genres: [ESSAY]")) == 2


def test_null_in_a_place_that_takes_none_is_found_at_run_time() -> None:
    (book,) = lower('query ($id: ID = "boo_1") { book(id: $id) { id } }')
    assert book.arguments({"id": "boo_2"}) == {"id": "boo_2"}
    with pytest.raises(InvalidInput) as caught:
        book.arguments({"id": None})
    assert caught.value.path == ("id",)


def test_the_facts_of_a_type_are_its_fields_and_interfaces() -> None:
    facts = type_facts(schema)["Book"]
    assert facts.interfaces == ("Node",)
    shown = {name: (field.type, field.nullable, field.many) for name, field in facts.fields.items()}
    assert shown == {
        "id": ("ID", False, False),
        "title": ("String", False, False),
        "genre": ("Genre", False, False),
        "tags": ("String", False, True),
        "note": ("String", True, False),
        "version": ("Int", False, False),
        "publishedAt": ("DateTime", True, False),
        "author": ("Author", False, False),
        "broken": ("String", True, False),
    }
