"""Where a type's values are stored: tables, other rows, or mappings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from app.core.sight import Permissions
from app.selection.mapping.env import Scope, Sql
from app.selection.mapping.fields import FieldMap, One

Visible = Callable[[Permissions, Scope], Sql | bool]


def visible_to_all(_permissions: Permissions, _scope: Scope) -> bool:
    """The visibility of types whose every row anybody may see."""
    return True


@dataclass(frozen=True, slots=True)
class TypeMap:
    """An object type over a table with the surrogate key `id`.

    With `base`, the table extends the interface's table: the same `id`, one row each; `value` is its discriminator
    there. `prefix` makes it available to `node`, and gives it the field `id`. Without the permission `requires`, no row
    is seen. Without `node_requires`, `node` finds no row, and a row is seen only through something visible that leads
    to it."""

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
    """An interface over a table. The column `discriminator` says which of the extending types a row is.

    A row of the type with this value may be seen if `requires` is held and the condition `narrows(permissions, scope,
    value)` is met."""

    name: str
    table: sa.Table
    discriminator: str
    fields: Mapping[str, FieldMap] = field(default_factory=dict)
    visible: Visible = visible_to_all
    narrows: Callable[[Permissions, Scope, str], Sql | bool] = lambda _permissions, _scope, _value: True


@dataclass(frozen=True, slots=True)
class InlineMap:
    """An object type without its own table, over the row of its parent."""

    name: str
    fields: Mapping[str, FieldMap] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectMap:
    """An object type whose values are mappings (embedded JSON, computed values, payloads). A field is the item of the
    same name in snake_case. `fields` is only needed for to-one neighbours (`One(key=…)`), ids, objects given by id,
    and renamed items."""

    name: str
    fields: "Mapping[str, One | str | ObjectId | ObjectRef]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectId:
    """In an ObjectMap: the global id made of the surrogate in item `key`."""

    prefix: str
    key: str = "id"


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """In an ObjectMap: the object whose global id, as text, is the item `key`. Null for any other text, and for an id
    of a type that is not in `prefixes`."""

    key: str
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnionMap:
    """A union or interface of ObjectMaps. Through `types`, item `tag` of a value names its concrete type."""

    name: str
    tag: str = "__typename"
    types: Mapping[str, str] = field(default_factory=dict)


Mapped = TypeMap | InterfaceMap | InlineMap | ObjectMap | UnionMap
