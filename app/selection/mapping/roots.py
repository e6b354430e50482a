"""How a root field finds its result."""

from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa

from app.core.errors import InvalidInput
from app.core.ids import require_id
from app.core.paging import MOST_COUNTED, MOST_GROUPS
from app.core.sight import Permissions
from app.selection.mapping.env import Env, Scope, Sql, SqlOf
from app.selection.mapping.filters import Filter, Order, Partition
from app.storage.query import Query

Bind = Callable[[str, Any], sa.BindParameter[Any]]


@dataclass(frozen=True, slots=True)
class RootOne:
    """A root field that finds one row: `where(scope, bind)`, with `bind("name", type)` for each item of `values`.

    `values(env, arguments)` returns the bound values, or None when nothing can match. It may raise DomainError."""

    type: str
    where: Callable[[Scope, Bind], Sql]
    values: Callable[[Env, Mapping[str, Any]], Mapping[str, object] | None]
    requires: str | None = None
    order: Callable[[Scope], Sequence[Sql]] | None = None


@dataclass(frozen=True, slots=True)
class RootMany:
    """A root field that is a connection. Its filters are the items of the argument `filter`, nested ones as
    `created_at.after`, and every other argument except paging and `order_by`, under its own name.

    With `found_by`, the rows are found by this filter, which is always given, and SQLite may not choose an index for
    any other condition. A `partition` is read part by part where it has an index and the whole list has none."""

    type: str
    orders: Mapping[str, Order]
    default_order: str
    filters: Mapping[str, Filter] = field(default_factory=dict)
    where: SqlOf | None = None
    requires: str | None = None
    found_by: str | None = None
    partition: Partition | None = None


class Read(Protocol):
    """How a RootSteps function reads: `yield read.query("name", build, **values)` returns rows (tuples, raw).

    `build()` makes the SQLAlchemy statement, once for each name. Its parameters are bound by name."""

    permissions: Permissions

    @property
    def dialect_name(self) -> str: ...

    def query(self, name: Hashable, build: Callable[[], sa.Select[Any]], **values: object) -> Query:
        """The query of the statement with this name, with its parameters bound."""

    def time(self, raw: Any) -> datetime | None:
        """A time as a column of the database gives it, in UTC; None for null."""


@dataclass(frozen=True, slots=True)
class RootSteps:
    """A root field with its own code: `steps(read, env, arguments)` yields queries and returns the value, a mapping or
    a list of mappings, which the ObjectMap `type` shapes."""

    type: str
    steps: Callable[[Read, Env, Mapping[str, Any]], Generator[Query, Sequence[Any], Any]]
    requires: str | None = None
    many: bool = False


@dataclass(frozen=True, slots=True)
class Grouping:
    """What rows are counted by: a value as text, or each value that another table has for a row.

    `beside` is that table, and the condition that one of its rows belongs to the row with this key. `name` turns the
    stored value, never None, into the value of the answer. With `refers`, that value is a global id."""

    value: SqlOf
    beside: tuple[sa.Table, Callable[[Sql], Sql]] | None = None
    name: Callable[[str], str] = str
    refers: bool = False


@dataclass(frozen=True, slots=True)
class RootTally:
    """A root field that counts a list's rows by each of the groupings that its argument `group_by` names.

    It counts `most_counted` rows at most, in the default order of the list, and gives the `most_groups` largest groups.
    `sums` are conditions: for each, it counts the rows that meet it. The ObjectMap `type` shapes the value: `count`,
    `count_is_capped` and `groupings`, of which each has `by`, `groups` and `is_capped`. A group has `value`, `node` (if
    the value is an id), `count`, and the sums by name."""

    type: str
    of: RootMany
    groupings: Mapping[str, Grouping]
    sums: Mapping[str, Callable[[Scope], Sql]] = field(default_factory=dict)
    requires: str | None = None
    most_counted: int = MOST_COUNTED
    most_groups: int = MOST_GROUPS


@dataclass(frozen=True, slots=True)
class RootNode:
    """`node(id)`, or with `many` `nodes(ids)`: an object of any type with a prefix, or null when it does not exist."""

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
