"""Lists read value by value: an ordered index walk each, merged."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Protocol, cast

import sqlalchemy as sa
from sqlalchemy.sql import FromClause

from app.selection.connection import Variant
from app.selection.mapping import VIEWER_TEAMS, Many, Partition, RootMany, Sql, SqlOf
from app.selection.scope import Builder, Source
from app.selection.sql import SqlCompiler, Template, hole
from app.storage.constructs import IntList, TextList, constant, keys, texts

ONE: sa.Select[Any] = sa.select(sa.literal_column("1").label("one"))
"""What is selected of rows that are only counted."""

Walked = tuple[tuple[str, Hashable], ...]
"""The conditions by which a list is read value by value: the name of each, with its shape."""

_ABSENT = "absent"  # the shape of a condition that is not given: every value of the column


class Listed(Protocol):
    """What these functions need to know of the connection: where its rows come from, and who sees them."""

    mapping: Many | RootMany
    builder: Builder
    source: Source
    types: Sequence[str]
    seen_in_part: bool
    seen_by_teams: bool

    @property
    def sql(self) -> SqlCompiler: ...

    def rows(self, *, inner: bool) -> tuple[FromClause, Source]:
        """A FROM element of the type's rows, and their source; an `inner` one has aliases of its own."""

    def always(self, source: Source) -> list[Sql]:
        """The conditions of the list that no argument changes."""


class Templates(dict[Walked, Template]):
    """The templates by the conditions that they are read by, each compiled at its first use; without conditions `now`,
    with the document."""

    def __init__(self, make: Callable[[Walked], Template], *, now: bool = True) -> None:
        super().__init__()
        self._make = make
        if now:
            _ = self[()]

    def __missing__(self, walked: Walked) -> Template:
        found = self[walked] = self._make(walked)
        return found


def walked_by(variant: Variant, of: Listed, *, ordered: bool) -> Walked:
    """The conditions of a variant that are read value by value. Empty when the whole list is walked.

    With `ordered`, an index must have the variant's order for each of the values."""
    order, _, _, filters = variant
    given = dict(filters)
    partition = _partition(of)
    if (
        partition is not None
        and (order in partition.orders or not ordered)
        and _finds_best(partition, filters)
        and (
            of.seen_in_part or of.seen_by_teams or not given.keys().isdisjoint({*partition.columns, *partition.numbers})
        )
    ):
        leading = tuple((name, given[name]) for name in partition.numbers if name in given)
        if of.seen_by_teams and not leading:
            leading = ((VIEWER_TEAMS, False),)
        walked = leading + tuple((name, given.get(name, _ABSENT)) for name in partition.columns)
        return () if ordered and _is_one_walk(of, walked) else walked
    for name, shape in filters:
        stream = of.mapping.filters[name].stream
        if stream is None or (ordered and order not in stream.orders):
            continue
        if shape is False:
            return ((name, shape),)
        if stream.or_none and of.sql.dialect.name == "sqlite" and partition is not None:
            others = [each for each in filters if each[0] != name]
            if _finds_best(partition, others):
                return ((name, shape),)
    return ()


def _partition(of: Listed) -> Partition | None:
    return of.mapping.partition if isinstance(of.mapping, RootMany) else None


def _finds_best(partition: Partition, filters: Sequence[tuple[str, Hashable]]) -> bool:
    """Whether no condition has an index that may find fewer rows."""
    parts = {*partition.columns, *partition.numbers}
    return all(name in parts or (name, shape) in partition.beside for name, shape in filters)


def _is_one_walk(of: Listed, walked: Walked) -> bool:
    """Whether these conditions lead to a single walk, the same as the whole list's statement.

    PostgreSQL may choose another index for that statement, because it plans it without knowing the values."""
    plain = of.sql.dialect.name == "sqlite" and not of.seen_in_part and not of.seen_by_teams
    return plain and all(shape is True for _, shape in walked)


class _Walks:
    """A FROM element with a row for each combination of values, and the condition that a row has these values."""

    def __init__(self, of: Listed, walked: Walked, rows: Source) -> None:
        self.each: list[FromClause] = []
        self.here: list[Sql] = []
        self.permitted: list[Sql] = []
        for name, shape in walked:
            column, known = _column(of, name)
            stream = None if name == VIEWER_TEAMS else of.mapping.filters[name].stream
            or_none = stream is not None and stream.or_none
            values = _number_or_none(name) if or_none else _values(of, name, shape, known)
            self.each.append(values)
            value = values.c[0]
            self.here.append(column(rows).is_not_distinct_from(value) if or_none else column(rows) == value)
            if shape != _ABSENT and known is not None:
                # No walk for what the caller may not see: it would read all of it and find nothing.
                self.permitted.append(value.in_([constant(each) for each in known]))

    def join(self, other: FromClause, on: Sql) -> FromClause:
        """The combinations, each with the matching rows of the other FROM element."""
        first, *rest = self.each
        found: Any = first
        for values in rest:
            found = found.join(values, sa.true())
        return found.join(other, on)  # type: ignore[no-any-return]


def _column(of: Listed, name: str) -> tuple[SqlOf, Sequence[str] | None]:
    """The column of a condition, and the values to read. The values are None when the condition gives them."""
    partition = _partition(of)
    if name == VIEWER_TEAMS:
        assert partition is not None
        assert partition.of_viewer is not None
        return partition.of_viewer[0], None
    if partition is not None and name in partition.numbers:
        return partition.numbers[name], None
    if partition is not None and name in partition.columns:
        column, known = partition.columns[name]
        return column, of.types if known is None else known
    stream = of.mapping.filters[name].stream
    assert stream is not None
    return stream.column, None


def _values(of: Listed, name: str, shape: Hashable, known: Sequence[str] | None) -> FromClause:
    """A FROM element of one column, of texts or numbers, with a row for each value."""
    alias = f"each_{name}"
    if name == VIEWER_TEAMS:
        return keys(sa.bindparam(VIEWER_TEAMS, type_=IntList()), alias)
    partition = _partition(of)
    if partition is not None and name in partition.numbers:
        if shape is False:
            return keys(sa.bindparam(f"filter_{name}", type_=IntList()), alias)
        number = sa.bindparam(f"filter_{name}", type_=sa.BigInteger)
        return sa.select(number.label("key")).subquery(alias)
    if shape is False:
        return texts(sa.bindparam(f"filter_{name}", type_=TextList()), alias)
    if shape is True:
        given = sa.cast(sa.bindparam(f"filter_{name}", type_=sa.Text), sa.Text)
        return sa.select(given.label("text")).subquery(alias)
    literals = (sa.select(constant(value).label("text")) for value in known or ())
    return sa.union_all(*literals).subquery(alias)


def _number_or_none(name: str) -> FromClause:
    """A FROM element of one column, with one row for the number and one for null."""
    given = sa.bindparam(f"filter_{name}", type_=sa.BigInteger)
    return sa.union_all(sa.select(given.label("number")), sa.select(sa.null())).subquery(f"each_{name}")


def page_of_walks(
    of: Listed, walked: Walked, size: sa.BindParameter[int], most: sa.BindParameter[int] | None = None
) -> sa.Select[Any]:
    """A page: a page of each combination of values is read, and the first rows of all are taken.

    `most` is a number that no size exceeds, for PostgreSQL."""
    # Under the same aliases as outside, so that conditions are compiled once for both.
    rows, inner = of.rows(inner=False)
    walks = _Walks(of, walked, inner)
    key: Sql = inner.alias.c.id
    own = sa.select(key).select_from(rows).where(*walks.here, *of.always(inner), hole("where"))
    own = own.order_by(hole("order")).limit(size).correlate(*walks.each)
    if of.sql.dialect.name == "sqlite":
        # SQLite has no LATERAL. A correlated list of ids is walked only as far as the page goes.
        found = sa.select(key).select_from(walks.join(rows, key.in_(own)))
    else:
        own = own.with_only_columns(*ordering_of(of, inner).values())
        if most is not None:
            bounded = own.limit(most).lateral(same_name(inner))
            own = sa.select(*bounded.c).order_by(hole("order")).limit(size)
        each = own.lateral(same_name(inner))
        found = sa.select(each.c.id).select_from(walks.join(each, sa.true()))
    page = found.where(*walks.permitted).order_by(hole("order")).limit(size).subquery("page")
    whole = page.join(of.builder.source(), of.source.alias.c.id == page.c.id)
    return of.builder.select_from(whole).order_by(hole("order"))


def ordering_of(of: Listed, rows: Source) -> Mapping[str, Sql]:
    """The columns of all orders of the list."""
    columns = (column for order in of.mapping.orders.values() for column in order.by(rows))
    return {column.key or "": column for column in columns}


def same_name(rows: Source) -> str:
    """The alias of the rows, for what has their columns: the fragments that fill holes name it."""
    return cast(sa.Alias, rows.alias).name


def number_of(rows: sa.Select[Any], most: int) -> sa.Select[Any]:
    """The number of rows, up to `most`."""
    return sa.select(sa.func.count()).select_from(rows.limit(most).subquery("counted"))


def count_of_walks(of: Listed, walked: Walked, most: int) -> sa.Select[Any]:
    """A count, up to `most`: the rows of one combination of values after those of the other."""
    rows, source = of.rows(inner=False)
    walks = _Walks(of, walked, source)
    one = ONE.select_from(walks.join(rows, sa.and_(*walks.here)))
    return number_of(one.where(*walks.permitted, *of.always(source), hole("counted")), most)
