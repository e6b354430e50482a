"""Finds breaking changes of the schema that CHANGELOG.md does not name."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    Visitor,
    build_schema,
    find_breaking_changes,
    parse,
    print_ast,
    visit,
)

from app.terminal import CommandError

RELEASED = Path("released.graphql")
"""The schema of the last release, without descriptions."""

SCHEMA = Path("schema.graphql")
CHANGELOG = Path("CHANGELOG.md")

_COORDINATE = re.compile(r"@?\b_*[A-Za-z]\w*(?:\.\w+)?(?:\(\w+:\))?")
_NAMED = re.compile(r"`([^`\n]+)`")


class _Undescribed(Visitor):
    def enter(self, node: Any, *_: object) -> Any:
        return replace(node, description=None) if getattr(node, "description", None) is not None else None


def without_descriptions(sdl: str) -> str:
    """The schema as text without descriptions; the next release is compared with it."""
    return print_ast(visit(parse(sdl, no_location=True), _Undescribed())) + "\n"


def coming(changelog: str) -> str:
    """The first section, for the coming release. Raises CommandError for a text without sections."""
    sections = re.split(r"^## .*$", changelog, flags=re.MULTILINE)
    if len(sections) < 2:
        raise CommandError(f"{CHANGELOG} has no section of the coming release.")
    return sections[1]


def unnamed(released: str, current: str, section: str) -> list[str]:
    """The breaking changes between two schemas that a section of the changelog does not name, as sentences.

    A change is named by the coordinate of what changed, in backticks: `Type`, `Type.field`, `Type.field(argument:)`,
    `Enum.VALUE` or `@directive`. The coordinate of an interface's field covers the same field of its types. The name of
    a removed type covers the fields of that type."""
    before, after = build_schema(released), build_schema(current)
    named = set(_NAMED.findall(section))
    return sorted(
        change.description
        for change in find_breaking_changes(before, after)
        if named.isdisjoint(_names(change.description, before, after))
    )


def unnamed_here() -> list[str]:
    """The same for the files in the current folder."""
    return unnamed(
        RELEASED.read_text(encoding="utf-8"),
        SCHEMA.read_text(encoding="utf-8"),
        coming(CHANGELOG.read_text(encoding="utf-8")),
    )


def release() -> None:
    """Make the schema in the current folder that of the last release."""
    RELEASED.write_text(without_descriptions(SCHEMA.read_text(encoding="utf-8")), encoding="utf-8")


def _names(sentence: str, before: GraphQLSchema, after: GraphQLSchema) -> Iterator[str]:
    """The coordinates that name the change in a sentence of graphql-core."""
    what, _, types = sentence.partition(" type from ")
    for coordinate in _COORDINATE.findall(what):
        owner, dot, member = coordinate.partition(".")
        # The other words of the sentence are no types.
        if owner not in before.type_map and not owner.startswith("@"):
            continue
        yield coordinate
        type_ = before.type_map.get(owner)
        if dot and isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            field = member.partition("(")[0]
            yield from (f"{each.name}.{member}" for each in type_.interfaces if field in each.fields)
    # "… has changed type from Old to New."
    old = types.partition(" to ")[0].strip("[]!")
    if old in before.type_map and old not in after.type_map:
        yield old
