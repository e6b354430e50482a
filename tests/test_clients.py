"""The kit for clients: what docs/clients.md lists is what the schema has, and what is written from it is current."""

import re
from functools import cache
from pathlib import Path

import pytest
from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_abstract_type,
    is_enum_type,
    is_object_type,
    parse,
    validate,
)

from app.commands import written
from app.schema import print_sdl

PAGE = (Path(__file__).parents[1] / "docs" / "clients.md").read_text(encoding="utf-8")
ALIASED = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `(.+)` \|$", PAGE, re.MULTILINE)


@cache
def printed_schema() -> GraphQLSchema:
    """The schema as a client reads it from its file."""
    return build_schema(print_sdl())


def differing_fields(schema: GraphQLSchema) -> set[tuple[str, str]]:
    """Fields that are not of one type in all types of an interface or union, by the name of that."""
    found = set()
    for abstract in filter(is_abstract_type, schema.type_map.values()):
        types: dict[str, set[str]] = {}
        for possible in schema.get_possible_types(abstract):
            for name, field in possible.fields.items():
                types.setdefault(name, set()).add(str(field.type))
        found |= {(abstract.name, name) for name, those in types.items() if len(those) > 1}
    return found


def test_files_written_from_the_schema_are_current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert written.differences() == []
    monkeypatch.chdir(tmp_path)
    assert [line for line in written.differences() if line.startswith("--- ")] == [
        "--- schema.graphql",
        "--- docs/clients/graph.ts",
    ]
    written.write()
    assert written.differences() == []
    kit = tmp_path / "docs" / "clients" / "graph.ts"
    kit.write_text(kit.read_text(encoding="utf-8").replace('"Conversation", ', ""), encoding="utf-8")
    row = '+  Interaction: ["AgentSession", "ChatSession", "Conversation", "Session"],'
    assert row in written.differences()


def test_kit_knows_every_type_of_the_schema() -> None:
    text = written.print_kit()
    objects = [
        each for each in printed_schema().type_map.values() if is_object_type(each) and not each.name.startswith("__")
    ]
    values = text.partition("valueTypes")[2].partition("];")[0]
    for each in objects:
        assert isinstance(each, GraphQLObjectType)
        is_value = "id" not in each.fields and each.name not in ("Query", "Mutation", "Subscription", "PageInfo")
        assert (f'"{each.name}"' in values) == (is_value and not each.name.endswith(("Connection", "Edge")))
        pages = {name for name, field in each.fields.items() if str(field.type).strip("!").endswith("Connection")}
        row = text.partition("connections")[2].partition(f"  {each.name}: [")[2].partition("]")[0]
        assert set(re.findall(r"\w+", row)) == pages


def test_every_enum_is_said_to_grow_or_not_once() -> None:
    section = PAGE.partition("## What will grow")[2].partition("\n\n`known")[0]
    listed = [name for row in re.findall(r"^\| (`.+?`) \|", section, re.MULTILINE) for name in re.findall(r"\w+", row)]
    enums = [
        each.name
        for each in printed_schema().type_map.values()
        if is_enum_type(each) and not each.name.startswith("__")
    ]
    assert sorted(listed) == sorted(enums)


def test_every_field_that_differs_between_types_has_its_aliases() -> None:
    assert {(abstract, field) for abstract, field, _ in ALIASED} == differing_fields(printed_schema())


@pytest.mark.parametrize(("abstract", "field", "selection"), ALIASED)
def test_aliases_make_a_selection_valid_that_would_be_refused(abstract: str, field: str, selection: str) -> None:
    document = f"fragment Shown on {abstract} {{ %s }} query {{ node(id: 1) {{ ... on Message {{ id ...Found }} }} }}"
    around = {
        "Interaction": "fragment Found on Message { interaction { ...Shown } }",
        "MessageContent": "fragment Found on Message { contents { ...Shown } }",
        "Node": "fragment Found on Node { ...Shown }",
    }[abstract]
    assert validate(printed_schema(), parse(f"{document % selection} {around}")) == []
    without = re.sub(rf"\w+: {field}\b", field, selection)
    assert without != selection
    refused = validate(printed_schema(), parse(f"{document % without} {around}"))
    assert refused
    assert "conflict" in refused[0].message
