"""How a root field finds what it answers with."""

from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa

from app.core.errors import InvalidInput
from app.core.ids import require_id
from app.core.sight import Permissions
from app.selection.mapping.env import Env, Scope, Sql, SqlOf
from app.selection.mapping.filters import Filter, Order, Partition
from app.storage.query import Query

Bind = Callable[[str, Any], sa.BindParameter[Any]]


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
    and every other argument that is not one of paging or `order_by` under its own name.

    With `found_by` the rows are looked up by this filter, which is always given: no other condition may have SQLite
    choose an index for it. A `partition` is read part by part where that has an index and the whole has none."""

    type: str
    orders: Mapping[str, Order]
    default_order: str
    filters: Mapping[str, Filter] = field(default_factory=dict)
    where: SqlOf | None = None
    requires: str | None = None
    found_by: str | None = None
    partition: Partition | None = None


class Read(Protocol):
    """What a RootSteps function reads with: `yield read.query("name", build, **values)` gives rows (tuples, raw).

    `build()` makes the SQLAlchemy statement, once for each name; its parameters are bound by name."""

    permissions: Permissions

    @property
    def dialect_name(self) -> str: ...

    def query(self, name: Hashable, build: Callable[[], sa.Select[Any]], **values: object) -> Query: ...

    def time(self, raw: Any) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class RootSteps:
    """A root field of its own making: `steps(read, env, arguments)` yields queries and returns the value, a mapping or
    a list of them shaped by the ObjectMap `type`."""

    type: str
    steps: Callable[[Read, Env, Mapping[str, Any]], Generator[Query, Sequence[Any], Any]]
    requires: str | None = None
    many: bool = False


@dataclass(frozen=True, slots=True)
class Grouping:
    """What rows are counted by: a value as text, or each value that a table beside has of a row.

    `beside` is that table, and the condition on a row of it that it is of the row with this key. `name` turns what is
    stored, never None, into what the answer says. With `refers` that is a global id."""

    value: SqlOf
    beside: tuple[sa.Table, Callable[[Sql], Sql]] | None = None
    name: Callable[[str], str] = str
    refers: bool = False


@dataclass(frozen=True, slots=True)
class RootTally:
    """A root field that counts the rows of a list by the groupings that its argument `group_by` names, each by itself.

    It looks at as many rows as a list's count does, in the default order of the list. `sums` are conditions of which
    it counts for how many rows they hold. The value is shaped by the ObjectMap `type`: `count`, `count_is_capped` and
    `groupings`, of which each has `by`, `groups` and `is_capped`; a group has `value`, `node` (the value where it is
    an id), `count` and the sums by name."""

    type: str
    of: RootMany
    groupings: Mapping[str, Grouping]
    sums: Mapping[str, Callable[[Scope], Sql]] = field(default_factory=dict)
    requires: str | None = None


@dataclass(frozen=True, slots=True)
class RootNode:
    """`node(id)`, or with `many` `nodes(ids)`: any type with a prefix; null for what is not there."""

    many: bool = False


Root = RootOne | RootMany | RootSteps | RootTally | RootNode


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
