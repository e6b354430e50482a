"""Where a type's values lie: in tables, in the row of another type, or in mappings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from app.core.sight import Permissions
from app.selection.mapping.env import Scope, Sql
from app.selection.mapping.fields import FieldMap, One

Visible = Callable[[Permissions, Scope], Sql | bool]


def visible_to_all(_permissions: Permissions, _scope: Scope) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class TypeMap:
    """An object type over a table with the surrogate key `id`.

    With `base` the table extends the interface's: same `id`, one row each; `value` is its discriminator there.
    `prefix` makes it reachable by `node`, and gives the field `id`. Without the permission `requires` there is none,
    without `node_requires` none that `node` finds: it is seen only where something visible leads to it."""

    name: str
    table: sa.Table
    prefix: str | None = None
    fields: Mapping[str, FieldMap] = field(default_factory=dict)
    visible: Visible = visible_to_all
    base: str | None = None
    value: str | None = None
    requires: str | None = None
    node_requires: str | None = None


@dataclass(frozen=True, slots=True)
class InterfaceMap:
    """An interface over a table whose column `discriminator` says which of the extending types a row is.

    `narrows(permissions, scope, value)` is the condition beside `requires` under which a row of the type with this
    value may be seen."""

    name: str
    table: sa.Table
    discriminator: str
    fields: Mapping[str, FieldMap] = field(default_factory=dict)
    visible: Visible = visible_to_all
    narrows: Callable[[Permissions, Scope, str], Sql | bool] = lambda _permissions, _scope, _value: True


@dataclass(frozen=True, slots=True)
class InlineMap:
    """An object type without a table of its own, over the row of whoever holds it."""

    name: str
    fields: Mapping[str, FieldMap] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectMap:
    """An object type whose values are mappings (embedded JSON, computed values, payloads): a field is the item of the
    same name in snake_case; only to-one neighbours (`One(key=…)`), ids, objects by their ids and renamed items need
    `fields`."""

    name: str
    fields: "Mapping[str, One | str | ObjectId | ObjectRef]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectId:
    """In an ObjectMap: the global id made of the surrogate in item `key`."""

    prefix: str
    key: str = "id"


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """In an ObjectMap: the object whose global id, as text, is the item `key`; null for any other text, and for an id
    of a type that is not among these `prefixes`."""

    key: str
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnionMap:
    """A union or interface of ObjectMaps: item `tag` of a value names its concrete type, by way of `types`."""

    name: str
    tag: str = "__typename"
    types: Mapping[str, str] = field(default_factory=dict)


Mapped = TypeMap | InterfaceMap | InlineMap | ObjectMap | UnionMap
