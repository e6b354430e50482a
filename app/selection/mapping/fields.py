"""How a field is read from its type's row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core.actor import Actor
from app.core.sight import Permissions
from app.selection.mapping.env import Scope, Sql, SqlOf
from app.selection.mapping.filters import Filter, Order


@dataclass(frozen=True, slots=True)
class Column:
    """A column or any SQL expression over the type's scope. Null without the permission `requires`.

    `seen` is in place of `sql` where the value depends on what the caller sees, as a count does.
    `names` turns a stored number into its enum name; `sql_type` names the type of an untyped expression."""

    sql: SqlOf
    requires: str | None = None
    names: Mapping[int, str] | None = None
    seen: "Callable[[Permissions, Scope], Sql] | None" = None


@dataclass(frozen=True, slots=True)
class Id:
    """The global id `<prefix>_<surrogate>` made of a surrogate key column."""

    prefix: str
    sql: SqlOf = lambda scope: scope.c.id


@dataclass(frozen=True, slots=True)
class One:
    """A to-one neighbour by its surrogate key, joined; null when the key is null or the row may not be seen.

    In an embedded or computed object, `key` names the item that holds the surrogate instead. `of_caller` takes it from
    the caller, whatever the row. `inherits` is as for Many."""

    type: str
    sql: SqlOf | None = None
    key: str | None = None
    of_caller: Callable[[Actor], int | None] | None = None
    requires: str | None = None
    inherits: bool = False


Owned = Callable[[Scope, Sql], Sql]
"""Which rows belong to a key."""


@dataclass(frozen=True, slots=True)
class Many:
    """A to-many edge as a Relay connection: the rows of `type` that `by(scope, key)` gives to this row's key.

    `inherits` says that who sees this row sees those: no visibility condition is added."""

    type: str
    by: Owned
    orders: Mapping[str, Order]
    default_order: str
    filters: Mapping[str, Filter] = field(default_factory=dict)
    where: SqlOf | None = None
    key: SqlOf = lambda scope: scope.c.id
    inherits: bool = False
    requires: str | None = None


def keyed(column: str) -> Owned:
    """The rows whose column is the key."""
    return lambda scope, key: getattr(scope.c, column) == key


@dataclass(frozen=True, slots=True)
class Inline:
    """An object made of columns of the same row; null where `present` is null."""

    type: str
    present: SqlOf | None = None


@dataclass(frozen=True, slots=True)
class OfInterface:
    """An expression over the row of a type's interface: types that share it read it once."""

    sql: SqlOf


@dataclass(frozen=True, slots=True)
class Computed:
    """The value of a pure function of columns: `fn(env, *values)`, values as Python objects.

    With `type` its result is a mapping (or a list of them, with `many`) that the selection's children pick from.
    A `personal` one looks at the actor (`env.actor`); any other must not. Null without the permission `requires`."""

    columns: tuple[str | SqlOf | OfInterface, ...]
    fn: Callable[..., Any]
    type: str | None = None
    many: bool = False
    personal: bool = False
    requires: str | None = None


@dataclass(frozen=True, slots=True)
class Embedded:
    """Objects inside a JSON column; each field is the item of the same name in snake_case."""

    type: str
    sql: SqlOf
    many: bool = False
    requires: str | None = None


@dataclass(frozen=True, slots=True)
class HiddenFields:
    """The names of the type's fields that are null because the caller lacks a permission, in alphabetical order: a
    constant of the plan, which is of one set of permissions."""


FieldMap = Column | Id | One | Many | Inline | Computed | Embedded | HiddenFields
