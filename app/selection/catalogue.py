"""What the compiler knows of the graph: mappings, roots and types."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from app.selection.mapping import (
    Column,
    FieldMap,
    Id,
    InlineMap,
    InterfaceMap,
    Mapped,
    ObjectMap,
    Permissions,
    Root,
    Scope,
    Sql,
    TypeMap,
    UnionMap,
)


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """What the schema says of a field: its named type, whether it may be null, whether it is a list."""

    type: str
    nullable: bool
    many: bool


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """What the schema says of an object type: its fields and its interfaces."""

    fields: Mapping[str, FieldFacts]
    interfaces: tuple[str, ...] = ()


class UnmappedField(Exception):
    """A field of the schema has no mapping: raised at start-up, never to a client."""


@cache  # one entry per name in the schema: every application looks up each of them
def snake(name: str) -> str:
    """`createdAt` -> `created_at`, `custom1` -> `custom_1`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])|(?<=[a-z])([0-9])", lambda found: f"_{found[0].lower()}", name)


class Catalogue:
    """The mappings by type name. Raises UnmappedField when a field of a mapped type has no mapping and no column."""

    def __init__(
        self,
        mappings: Iterable[Mapped],
        roots: Mapping[str, Root],
        types: Mapping[str, TypeFacts],
        query: str = "Query",
    ) -> None:
        self.maps: dict[str, Mapped] = {}
        for mapping in mappings:
            if mapping.name in self.maps:
                raise UnmappedField(f"{mapping.name} is mapped twice")
            self.maps[mapping.name] = mapping
        self.roots = dict(roots)
        self.types = types
        self.query = query
        self._check()

    def type(self, name: str) -> Mapped:
        """The mapping of a type. A type without one is a plain object whose fields are its items."""
        return self.maps.get(name) or ObjectMap(name)

    def facts(self, type_name: str, field: str) -> FieldFacts:
        """What the schema says of a field of an object type. Raises KeyError for one that it does not have."""
        return self.types[type_name].fields[field]

    def extending(self, interface: str) -> list[TypeMap]:
        """The types that extend an interface's rows."""
        return [found for found in self.maps.values() if isinstance(found, TypeMap) and found.base == interface]

    def visible(self, permissions: Permissions, of: TypeMap | InterfaceMap, row: Scope) -> Sql | bool:
        """The condition that a row may be seen.

        Where it is the same for all types of an interface, it does not ask of which type the row is."""
        if isinstance(of, TypeMap):
            return of.visible(permissions, row)
        found = [of.narrows(permissions, row, each.value or "") for each in self.extending(of.name)]
        first = found[0] if found else True
        if isinstance(first, bool) or any(isinstance(each, bool) or not first.compare(each) for each in found):
            return of.visible(permissions, row)
        return first

    def prefixed(self) -> dict[str, TypeMap]:
        """The types that `node` can find, by the prefix of their ids."""
        return {found.prefix: found for found in self.maps.values() if isinstance(found, TypeMap) and found.prefix}

    def base(self, found: TypeMap) -> InterfaceMap:
        """The interface that the type's table extends. Raises UnmappedField when that lies in no table."""
        base = self.maps[found.base or ""]
        if not isinstance(base, InterfaceMap):
            raise UnmappedField(f"{found.name} extends {base.name}, which is no interface over a table")
        return base

    def field(self, type_name: str, name: str) -> FieldMap:
        """How a field of a type over rows is read: by the type's own mapping, its interface's, or the column of its
        name."""
        found = self.maps[type_name]
        if not isinstance(found, TypeMap | InlineMap | InterfaceMap):
            raise UnmappedField(f"{type_name} does not lie in rows")
        own = found.fields.get(name)
        if own is None and isinstance(found, TypeMap) and found.base:
            own = self.base(found).fields.get(name)
        if own is not None:
            return own
        if name == "id" and isinstance(found, TypeMap) and found.prefix:
            return Id(found.prefix)
        column = snake(name)
        return Column(lambda scope: getattr(scope.c, column))

    def is_shared(self, type_name: str, name: str) -> bool:
        """Whether the type's interface maps the field, so that all its types read it in the same way."""
        found = self.maps[type_name]
        if not isinstance(found, TypeMap) or found.base is None:
            return False
        return name not in found.fields and name in self.base(found).fields

    def _check(self) -> None:
        faults = [fault for name in self.maps for fault in self._faults(name)]
        missing = [f"{self.query}.{name}" for name in self.types[self.query].fields if name not in self.roots]
        if faults or missing:
            raise UnmappedField("these fields lie nowhere: " + ", ".join([*faults, *missing]))

    def _faults(self, name: str) -> list[str]:
        found = self.maps[name]
        if isinstance(found, UnionMap | InterfaceMap | ObjectMap | InlineMap):
            return []
        tables = [found.table] if found.base is None else [found.table, self.base(found).table]
        known = set(found.fields) | (set(self.base(found).fields) if found.base else set())
        return [
            f"{name}.{field}"
            for field in (self.types[name].fields if name in self.types else ())
            if field not in known
            and not (field == "id" and found.prefix)
            and not any(snake(field) in table.c for table in tables)
        ]
