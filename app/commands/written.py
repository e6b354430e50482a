"""The files generated from the schema, and whether they are current."""

import json
from collections.abc import Callable, Iterable
from difflib import unified_diff
from pathlib import Path

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_abstract_type

from app.schema import build_schema, print_sdl

_ROOTS = {"Query", "Mutation", "Subscription"}
_PAGES = ("Connection", "Edge", "PageInfo")
_LONGEST = 120


def print_kit() -> str:
    """A TypeScript module with what a client's cache needs to know about the schema."""
    schema = build_schema()
    objects = [each for _, each in sorted(schema.type_map.items()) if isinstance(each, GraphQLObjectType)]
    objects = [each for each in objects if not each.name.startswith("__")]
    valued = [
        each.name
        for each in objects
        if "id" not in each.fields and each.name not in _ROOTS and not each.name.endswith(_PAGES)
    ]
    paged = {
        each.name: fields
        for each in objects
        if (
            fields := [name for name, field in sorted(each.fields.items()) if _is_page(get_named_type(field.type).name)]
        )
    }
    return "\n".join(
        [
            "// Written from the schema by ./scripts/schema: what a client's cache has to know of it.",
            "",
            "/** The types that an object may have, for each interface and union. */",
            "export const possibleTypes: Record<string, string[]> = {",
            *_entries(_possible(schema)),
            "};",
            "",
            "/** The types whose objects have no id; an object of one belongs to what it was read with. */",
            f"export const valueTypes: string[] = {_listed(valued, '')};",
            "",
            "/** The fields that answer with a page, by the type that has them. */",
            "export const connections: Record<string, string[]> = {",
            *_entries(paged),
            "};",
            "",
        ]
    )


WRITTEN: dict[Path, Callable[[], str]] = {
    Path("schema.graphql"): print_sdl,
    Path("docs/clients/graph.ts"): print_kit,
}
"""What the command `schema` writes, by its path in the repository."""


def differences() -> list[str]:
    """The differences between the files in the current folder and what they should be, as lines."""
    lines: list[str] = []
    for path, printed in WRITTEN.items():
        written = path.read_text(encoding="utf-8") if path.exists() else ""
        pair = (written.splitlines(), printed().splitlines())
        lines += unified_diff(*pair, str(path), "the code", lineterm="", n=1)
    return lines


def write() -> None:
    """Write the files into the current folder."""
    for path, printed in WRITTEN.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(printed(), encoding="utf-8")


def _possible(schema: GraphQLSchema) -> dict[str, list[str]]:
    return {
        name: sorted(each.name for each in schema.get_possible_types(type_))
        for name, type_ in sorted(schema.type_map.items())
        if is_abstract_type(type_)
    }


def _is_page(name: str) -> bool:
    return name.endswith("Connection")


def _entries(lists: dict[str, list[str]]) -> Iterable[str]:
    return (f"  {name}: {_listed(names, '  ')}," for name, names in lists.items())


def _listed(names: list[str], indent: str) -> str:
    """A list on one line, or with one name per line when that would be too long."""
    text = json.dumps(names)
    if len(text) <= _LONGEST - 40:
        return text
    return "\n".join(["[", *(f"{indent}  {json.dumps(name)}," for name in names), f"{indent}]"])
