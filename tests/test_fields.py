"""docs/fields.md says of every field what it is called in its contract and where it lies; it must not lie itself."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from graphql import GraphQLObjectType, get_named_type

from app.registry import KINDS
from app.schema import SLICES, build_schema
from app.selection.mapping import TypeMap
from app.storage.tables import metadata

DOCUMENT = Path(__file__).parent.parent / "docs" / "fields.md"
TYPES = build_schema(SLICES).type_map
SECTIONS: dict[str, str] = dict(
    re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
)
KIND_TYPES = {
    str(mapping.value): mapping
    for kind in KINDS
    for mapping in kind.slice.mappings
    if isinstance(mapping, TypeMap) and mapping.base == "Interaction"
}


class Line(NamedTuple):
    section: str
    contract: str
    field: str
    column: str


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def lines() -> list[Line]:
    found = []
    for section, body in SECTIONS.items():
        inside = False
        for row in body.splitlines():
            if row.startswith("| contract field |"):
                inside = True
                assert cells(row) == ["contract field", "GraphQL", "column", "notes"]
            elif not row.startswith("|"):
                inside = False
            elif inside and not row.startswith("|---"):
                contract, field, column, _ = cells(row)
                found.append(Line(section, contract.strip("`"), field.strip("`"), column.strip("`")))
    return found


LINES = lines()


def object_type(name: str) -> GraphQLObjectType:
    found = TYPES[name]
    assert isinstance(found, GraphQLObjectType)
    return found


def test_every_kind_has_its_section() -> None:
    assert {mapping.name for mapping in KIND_TYPES.values()} <= {line.section for line in LINES}
    assert set(KIND_TYPES) == {kind.name for kind in KINDS}


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.section}-{line.contract}")
def test_the_field_and_its_column_exist(line: Line) -> None:
    type_name, _, field = line.field.partition(".")
    assert field in object_type(type_name).fields
    if line.column:
        table, _, column = line.column.partition(".")
        assert column in metadata.tables[table].columns


@pytest.mark.parametrize("kind", sorted(KIND_TYPES))
def test_every_field_of_the_kind_is_there(kind: str) -> None:
    mapping = KIND_TYPES[kind]
    shared = set(TYPES["Interaction"].fields)  # type: ignore[attr-defined]
    described = {line.field for line in LINES if line.section == mapping.name}
    missing = {f"{mapping.name}.{field}" for field in set(object_type(mapping.name).fields) - shared} - described
    assert missing == set()


@pytest.mark.parametrize("kind", sorted(KIND_TYPES))
def test_every_column_of_the_kind_is_there(kind: str) -> None:
    mapping = KIND_TYPES[kind]
    body = SECTIONS[mapping.name]
    missing = {
        f"{mapping.table.name}.{column.name}"
        for column in mapping.table.columns
        if not column.primary_key and f"`{mapping.table.name}.{column.name}`" not in body
    }
    assert missing == set()


def directory_fields() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for title, body in re.findall(r"^### (\w+)\n(.*?)(?=^### |\Z)", SECTIONS["Directory"], re.MULTILINE | re.DOTALL):
        rows = [cells(row)[0] for row in body.splitlines() if row.startswith("| `")]
        for row in rows:
            for first, last in re.findall(r"`(\w+)`(?: to `(\w+)`)?", row):
                found.extend((title, name) for name in between(first, last))
    return found


def between(first: str, last: str) -> list[str]:
    if not last:
        return [first]
    stem = first.rstrip("0123456789")
    return [f"{stem}{number}" for number in range(int(first[len(stem) :]), int(last[len(stem) :]) + 1)]


@pytest.mark.parametrize(("type_name", "field"), directory_fields())
def test_every_described_field_of_the_directory_exists(type_name: str, field: str) -> None:
    assert field in object_type(type_name).fields


@pytest.mark.parametrize("type_name", ["Customer", "Profile", "User"])
def test_every_field_of_the_directory_is_described(type_name: str) -> None:
    described: set[Any] = {field for owner, field in directory_fields() if owner == type_name}
    # Edges to other types are described where those are.
    own = {
        name
        for name, field in object_type(type_name).fields.items()
        if not get_named_type(field.type).name.endswith("Connection")
    }
    assert own - described - {"id"} == set()
