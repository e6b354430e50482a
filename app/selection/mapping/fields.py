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

    `seen` replaces `sql` when the value depends on what the caller sees, as a count does. `names` turns a stored number
    into its enum name. `sql_type` gives the type of an untyped expression."""

    sql: SqlOf
    requires: str | None = None
    names: Mapping[int, str] | None = None
    seen: "Callable[[Permissions, Scope], Sql] | None" = None


@dataclass(frozen=True, slots=True)
class Id:
    """The global id `<prefix>_<surrogate>`, made of a surrogate key column."""

    prefix: str
    sql: SqlOf = lambda scope: scope.c.id


@dataclass(frozen=True, slots=True)
class One:
    """A to-one neighbour by its surrogate key, joined. Null when the key is null or the row may not be seen.

    In an embedded or computed object, `key` names the item that holds the surrogate. `of_caller` takes the key from the
    caller instead of the row. `inherits` is the same as for Many. `distinct` says that nearly each row of a list has
    another neighbour."""

    type: str
    sql: SqlOf | None = None
    key: str | None = None
    of_caller: Callable[[Actor], int | None] | None = None
    requires: str | None = None
    inherits: bool = False
    distinct: bool = False


Owned = Callable[[Scope, Sql], Sql]
"""The condition that a row belongs to a key."""


@dataclass(frozen=True, slots=True)
class Many:
    """A to-many edge as a Relay connection: the rows of `type` that `by(scope, key)` returns for this row's key.

    `inherits` says that whoever sees this row sees those rows: no visibility condition is added."""

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
    """The rows whose column equals the key."""
    return lambda scope, key: getattr(scope.c, column) == key


@dataclass(frozen=True, slots=True)
class Inline:
    """An object made of columns of the same row. Null when `present` is null."""

    type: str
    present: SqlOf | None = None


@dataclass(frozen=True, slots=True)
class OfInterface:
    """An expression over the row of a type's interface. The types that share it read it once."""

    sql: SqlOf


@dataclass(frozen=True, slots=True)
class Computed:
    """The value of a pure function of columns: `fn(env, *values)`, with Python objects as values.

    With `type`, the result is a mapping (or with `many` a list of mappings) from which the selection's children are
    read. A `personal` function uses the actor (`env.actor`); any other must not. Null without the permission
    `requires`."""

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
    """The names of the type's fields that are null because the caller lacks a permission, in alphabetical order. They
    are a constant of the plan, because a plan belongs to one set of permissions."""


FieldMap = Column | Id | One | Many | Inline | Computed | Embedded | HiddenFields
