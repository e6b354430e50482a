"""The orders and conditions of lists."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from app.core.ids import require_id
from app.core.sight import Permissions
from app.selection.mapping.env import Env, Scope, Sql, SqlOf
from app.storage.constructs import IntList, TextList, among


@dataclass(frozen=True, slots=True)
class Order:
    """A keyset order. All columns have the same direction, are NOT NULL, and end with the surrogate key."""

    by: Callable[[Scope], Sequence[Sql]]
    descending: bool = False


def both_ways(field: str, by: Callable[[Scope], Sequence[Sql]]) -> Mapping[str, Order]:
    """The two orders by a field, ascending and descending, under the names that `order_named` returns."""
    return {
        order_named({"field": field, "direction": direction}): Order(by, descending=direction == "DESC")
        for direction in ("ASC", "DESC")
    }


def order_named(given: Mapping[str, str]) -> str:
    """The name of the order that an argument `order_by` asks for: a field and a direction, ASC or DESC."""
    return f"{given['field']}_{given['direction']}"


ME = "me"
"""What conditions on users accept instead of an id: the caller's own user."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The column of a condition by a list of values, and the orders that an index has for each value.

    With `or_none` the condition is one number, and the rows without a number are a separate list. Only SQLite reads
    those by an index in its order."""

    column: SqlOf
    orders: frozenset[str]
    or_none: bool = False


@dataclass(frozen=True, slots=True)
class Partition:
    """Columns with few values that divide a list. An index has `orders` for each combination of the values.

    `columns` maps the name of a condition to a column and all its values; None stands for the types of the list's
    interface. The conditions in `beside`, by name and shape, are checked on the way; any other condition has a better
    index of its own. `numbers` are columns by conditions that name numbers. They come first in the index, and divide
    the list where they are given. `of_viewer` is such a column too: its values are the caller's teams, and it comes
    with the permissions under which nothing else is seen. `seen` returns which types may be seen, or None for all."""

    columns: Mapping[str, tuple[SqlOf, Sequence[str] | None]]
    orders: frozenset[str]
    beside: frozenset[tuple[str, Hashable]]
    seen: Callable[[Permissions], Sequence[str] | None]
    numbers: Mapping[str, SqlOf] = field(default_factory=dict)
    of_viewer: "tuple[SqlOf, Callable[[Permissions], bool]] | None" = None


def _as_is(value: Any) -> Any:
    return value


def _same_shape(_value: Any) -> Hashable:
    return None


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition of a list. An absent or null argument leaves it out of the SQL.

    `clause(scope, bind, shape)` makes the SQL, and `bind(type)` in it is the place of the bound value. `value` turns
    the argument into the bound value, and may raise InvalidInput with a path relative to the argument. `shape` is the
    part of the argument that the text of the SQL depends on. With `of_user`, the argument `ME` binds the surrogate of
    the caller's user. `stream` says that a list of values can be read as an ordered list per value. `parts` returns
    further values by name, for `bind(type, name)`; they depend on the argument and the caller."""

    clause: Callable[[Scope, Callable[..., sa.BindParameter[Any]], Any], Sql]
    value: Callable[[Any], object] = _as_is
    shape: Callable[[Any], Hashable] = _same_shape
    of_user: bool = False
    stream: "Stream | None" = None
    parts: Callable[[Any, Env], Mapping[str, object]] | None = None

    def names_caller(self, argument: Any) -> bool:
        """Whether the condition differs from caller to caller."""
        return self.of_user and argument == ME

    def bound(self, argument: Any, env: Env) -> object:
        """The value that the argument binds in this run. Raises the errors of `value`."""
        return env.actor.user_id if self.names_caller(argument) else self.value(argument)


def equals(sql: SqlOf, type_: Any = sa.Text) -> Filter:
    """The column is the argument."""
    return Filter(lambda scope, bind, _: sql(scope) == bind(type_))


def one_of(sql: SqlOf, values: Mapping[str, int] | None = None, ordered: frozenset[str] = frozenset()) -> Filter:
    """The column is one of the argument's list. `values` turns enum names into stored numbers.

    If an index has the values as texts in these orders of the list, `ordered`, they are looked up one by one."""
    item, items = (sa.Text(), TextList()) if values is None else (sa.BigInteger(), IntList())

    def clause(scope: Scope, bind: Callable[[Any], sa.BindParameter[Any]], single: bool) -> Sql:
        return sql(scope) == bind(item) if single else among(sql(scope), bind(items))

    def value(names: Sequence[str]) -> object:
        given = dict.fromkeys(names)  # read value by value, a value that is named twice would be there twice
        found: list[Any] = list(given) if values is None else [values[name] for name in given]
        return found[0] if len(found) == 1 else found

    stream = Stream(sql, ordered) if ordered else None
    return Filter(clause, value, lambda names: len(set(names)) == 1, stream=stream)


def reference(sql: SqlOf, *prefixes: str) -> Filter:
    """The surrogate key column is the one of the argument's global id."""
    return Filter(
        lambda scope, bind, _: sql(scope) == bind(sa.BigInteger),
        lambda text: require_id(text, *prefixes, path=()).number,
        of_user="usr" in prefixes,
    )


def by_value(clause: Callable[[Scope, Any], Sql]) -> Filter:
    """A condition whose SQL the value itself chooses (a boolean, an enum)."""
    return Filter(lambda scope, _bind, value: clause(scope, value), shape=_as_is)
