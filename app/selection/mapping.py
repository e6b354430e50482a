"""How the graph's types lie in the tables: the vocabulary in which every slice's repository maps its types.

A GraphQL field `createdAt` is the column `created_at` of its type's table, converted by the column's type, unless the
type's `fields` say otherwise. Names in `fields`, `filters` and `where` are the graph's camelCase field names and the
snake_case names of arguments."""

from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa

from app.core.actor import Actor
from app.core.errors import InvalidInput
from app.core.ids import require_id
from app.selection.tree import Variables
from app.storage.constructs import IntList, TextList, among
from app.storage.query import Query

if TYPE_CHECKING:
    from app.settings import Settings

Permissions = frozenset[str] | None  # None: every permission
Sql = sa.ColumnElement[Any]


class Scope(Protocol):
    """A type's own row source in one statement; `scope.c.status` is a column of its table or of the one it extends."""

    @property
    def c(self) -> Any: ...


SqlOf = Callable[[Scope], Sql]


@dataclass(slots=True)
class Env:
    """What one run of a plan knows besides its SQL."""

    actor: Actor
    now: datetime
    settings: "Settings"
    variables: Variables = field(default_factory=dict)


def granted(permissions: Permissions, permission: str | None) -> bool:
    return permission is None or permissions is None or permission in permissions


# ---- fields -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """A column or any SQL expression over the type's scope. Null without the permission `requires`.

    `names` turns a stored number into its enum name; `sql_type` names the type of an untyped expression."""

    sql: SqlOf
    requires: str | None = None
    names: Mapping[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Id:
    """The global id `<prefix>_<surrogate>` made of a surrogate key column."""

    prefix: str
    sql: SqlOf = lambda scope: scope.c.id


@dataclass(frozen=True, slots=True)
class One:
    """A to-one neighbour by its surrogate key, joined; null when the key is null or the row may not be seen.

    In an embedded or computed object, `key` names the item that holds the surrogate instead."""

    type: str
    sql: SqlOf | None = None
    key: str | None = None
    requires: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A keyset order. All columns go one way, are NOT NULL and end with the surrogate key."""

    by: Callable[[Scope], Sequence[Sql]]
    descending: bool = False


def _as_is(value: Any) -> Any:
    return value


def _same_shape(_value: Any) -> Hashable:
    return None


Bind = Callable[[str, Any], sa.BindParameter[Any]]


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition of a list. An absent or null argument leaves it out of the SQL.

    `clause(scope, bind, shape)` makes the SQL, with `bind(type)` as the place of the bound value; `value` turns the
    argument into that value (it may raise InvalidInput with a path relative to the argument); `shape` is what of the
    argument the SQL's text depends on."""

    clause: Callable[[Scope, Callable[[Any], sa.BindParameter[Any]], Any], Sql]
    value: Callable[[Any], object] = _as_is
    shape: Callable[[Any], Hashable] = _same_shape


def equals(sql: SqlOf, type_: Any = sa.Text) -> Filter:
    """The column is the argument."""
    return Filter(lambda scope, bind, _: sql(scope) == bind(type_))


def one_of(sql: SqlOf, values: Mapping[str, int] | None = None) -> Filter:
    """The column is one of the argument's list; `values` turns enum names into stored numbers."""
    item, items = (sa.Text(), TextList()) if values is None else (sa.BigInteger(), IntList())

    def clause(scope: Scope, bind: Callable[[Any], sa.BindParameter[Any]], single: bool) -> Sql:
        return sql(scope) == bind(item) if single else among(sql(scope), bind(items))

    def value(names: Sequence[str]) -> object:
        found: list[Any] = list(names) if values is None else [values[name] for name in names]
        return found[0] if len(found) == 1 else found

    return Filter(clause, value, lambda names: len(names) == 1)


def reference(sql: SqlOf, *prefixes: str) -> Filter:
    """The surrogate key column is the one of the argument's global id."""
    return Filter(
        lambda scope, bind, _: sql(scope) == bind(sa.BigInteger),
        lambda text: require_id(text, *prefixes, path=()).number,
    )


def by_value(clause: Callable[[Scope, Any], Sql]) -> Filter:
    """A condition whose SQL is chosen by the value itself (a boolean, an enum)."""
    return Filter(lambda scope, _bind, value: clause(scope, value), shape=_as_is)


@dataclass(frozen=True, slots=True)
class Many:
    """A to-many edge as a Relay connection: the rows of `type` whose `by` column is this row's key.

    `inherits` says that who sees this row sees those: no visibility condition is added."""

    type: str
    by: SqlOf
    orders: Mapping[str, Order]
    default_order: str
    filters: Mapping[str, Filter] = field(default_factory=dict)
    where: SqlOf | None = None
    key: SqlOf = lambda scope: scope.c.id
    inherits: bool = False
    requires: str | None = None


@dataclass(frozen=True, slots=True)
class Inline:
    """An object made of columns of the same row; null where `present` is null."""

    type: str
    present: SqlOf | None = None


@dataclass(frozen=True, slots=True)
class Computed:
    """The value of a pure function of columns: `fn(env, *values)`, values as Python objects.

    With `type` its result is a mapping (or a list of them, with `many`) that the selection's children pick from."""

    columns: tuple[str | SqlOf, ...]
    fn: Callable[..., Any]
    type: str | None = None
    many: bool = False


@dataclass(frozen=True, slots=True)
class Embedded:
    """Objects inside a JSON column; each field is the item of the same name in snake_case."""

    type: str
    sql: SqlOf
    many: bool = False
    requires: str | None = None


FieldMap = Column | Id | One | Many | Inline | Computed | Embedded


# ---- types --------------------------------------------------------------------------------------------------------

Visible = Callable[[Permissions, Scope], Sql | bool]


def visible_to_all(_permissions: Permissions, _scope: Scope) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class TypeMap:
    """An object type over a table with the surrogate key `id`.

    With `base` the table extends the interface's: same `id`, one row each; `value` is its discriminator there.
    `prefix` makes it reachable by `node`, and gives the field `id`. Without the permission `requires` there is none."""

    name: str
    table: sa.Table
    prefix: str | None = None
    fields: Mapping[str, FieldMap] = field(default_factory=dict)
    visible: Visible = visible_to_all
    base: str | None = None
    value: str | None = None
    requires: str | None = None


@dataclass(frozen=True, slots=True)
class InterfaceMap:
    """An interface over a table whose column `discriminator` says which of the extending types a row is."""

    name: str
    table: sa.Table
    discriminator: str
    fields: Mapping[str, FieldMap] = field(default_factory=dict)
    visible: Visible = visible_to_all


@dataclass(frozen=True, slots=True)
class InlineMap:
    """An object type without a table of its own, over the row of whoever holds it."""

    name: str
    fields: Mapping[str, FieldMap] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectMap:
    """An object type whose values are mappings (embedded JSON, computed values, payloads): a field is the item of the
    same name in snake_case; only to-one neighbours (`One(key=…)`), ids and renamed items need `fields`."""

    name: str
    fields: "Mapping[str, One | str | ObjectId]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectId:
    """In an ObjectMap: the global id made of the surrogate in item `key`."""

    prefix: str
    key: str = "id"


@dataclass(frozen=True, slots=True)
class UnionMap:
    """A union or interface of ObjectMaps: item `tag` of a value names its concrete type, by way of `types`."""

    name: str
    tag: str = "__typename"
    types: Mapping[str, str] = field(default_factory=dict)


Mapped = TypeMap | InterfaceMap | InlineMap | ObjectMap | UnionMap


# ---- roots --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RootOne:
    """A root field that finds one row: `where(scope, bind)` with `bind("name", type)` for each of `values`' items.

    `values(env, arguments)` gives the bound values, or None when nothing can match. It may raise DomainError."""

    type: str
    where: Callable[[Scope, Bind], Sql]
    values: Callable[[Env, Mapping[str, Any]], Mapping[str, object] | None]
    requires: str | None = None
    order: Callable[[Scope], Sequence[Sql]] | None = None


@dataclass(frozen=True, slots=True)
class RootMany:
    """A root field that is a connection. Filters are the items of argument `filter`, nested ones as `created_at.after`,
    and every other argument that is not one of paging or `order_by` under its own name."""

    type: str
    orders: Mapping[str, Order]
    default_order: str
    filters: Mapping[str, Filter] = field(default_factory=dict)
    where: SqlOf | None = None
    requires: str | None = None


class Read(Protocol):
    """What a RootSteps function reads with: `yield read.query("name", build, **values)` gives rows (tuples, raw).

    `build()` makes the SQLAlchemy statement, once for each name; its parameters are bound by name."""

    permissions: Permissions

    def query(self, name: Hashable, build: Callable[[], sa.Select[Any]], **values: object) -> Query: ...

    def time(self, raw: Any) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class RootSteps:
    """A root field of its own making: `steps(read, env, arguments)` yields queries and returns the value, a mapping or a
    list of mappings shaped by the ObjectMap `type`."""

    type: str
    steps: Callable[[Read, Env, Mapping[str, Any]], Generator[Query, Sequence[Any], Any]]
    requires: str | None = None
    many: bool = False


@dataclass(frozen=True, slots=True)
class RootNode:
    """`node(id)`, or with `many` `nodes(ids)`: any type with a prefix; null for what is not there."""

    many: bool = False


Root = RootOne | RootMany | RootSteps | RootNode


def by_id(type_: str, prefix: str, *, requires: str | None = None, argument: str = "id") -> RootOne:
    """The row whose global id is the argument. Raises InvalidInput for an id of another type."""

    def values(_env: Env, arguments: Mapping[str, Any]) -> Mapping[str, object] | None:
        found = require_id(arguments[argument], prefix, path=(argument,))
        return {"id": found.number}

    return RootOne(type_, lambda scope, bind: scope.c.id == bind("id", sa.BigInteger), values, requires)


def by_columns(type_: str, *, requires: str | None = None, **columns: str) -> RootOne:
    """The row whose columns equal the arguments: `by_columns("Session", session_key="session_key")`."""

    def where(scope: Scope, bind: Bind) -> Sql:
        return sa.and_(
            *(getattr(scope.c, column) == bind(column, getattr(scope.c, column).type) for column in columns.values())
        )

    def values(_env: Env, arguments: Mapping[str, Any]) -> Mapping[str, object] | None:
        if any(arguments.get(argument) is None for argument in columns):
            raise InvalidInput("This argument must not be null.", path=(next(iter(columns)),))
        return {column: arguments[argument] for argument, column in columns.items()}

    return RootOne(type_, where, values, requires)
