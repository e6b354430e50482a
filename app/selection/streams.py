"""Lists narrowed to several values of a column: an ordered walk of an index for each, merged."""

from collections.abc import Callable
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.sql import FromClause

from app.selection.connection import Variant
from app.selection.mapping import Filter, Many, RootMany, Sql, Stream
from app.selection.scope import Builder, Source
from app.selection.sql import SqlCompiler, Template, hole
from app.storage.constructs import TextList, texts

ONE: sa.Select[Any] = sa.select(sa.literal_column("1").label("one"))
"""What is selected of rows that are only counted."""


class Listed(Protocol):
    """What is asked here of the connection that is compiled: where its rows come from, and who sees them."""

    mapping: Many | RootMany
    builder: Builder
    source: Source

    @property
    def sql(self) -> SqlCompiler: ...

    def rows(self, *, inner: bool) -> tuple[FromClause, Source]: ...

    def always(self, source: Source) -> list[Sql]: ...


class Templates(dict[str, Template]):
    """The templates by the condition that they are read by, each compiled at its first use."""

    def __init__(self, make: Callable[[str], Template]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> Template:
        found = self[name] = self._make(name)
        return found


def streamed(variant: Variant, of: Listed, *, ordered: bool) -> str | None:
    """The condition of a variant that is read value by value; None for none.

    With `ordered` the values have to be in the variant's order."""
    order, _, _, filters = variant
    for name, shape in filters:
        stream = of.mapping.filters[name].stream
        if stream is not None and shape is False and (order in stream.orders or not ordered):
            return name
    return None


def _values(name: str, condition: Filter) -> tuple[sa.TableValuedAlias, Stream]:
    assert condition.stream is not None
    return texts(sa.bindparam(f"filter_{name}", type_=TextList()), "each_value"), condition.stream


def page_of_values(lister: Listed, name: str, size: sa.BindParameter[int]) -> sa.Select[Any]:
    """A page: as much as a page of each value, of which the first are taken."""
    values, stream = _values(name, lister.mapping.filters[name])
    # Under the same aliases as outside, so that conditions are compiled once for both.
    rows, inner = lister.rows(inner=False)
    own = sa.select(inner.alias.c.id).select_from(rows)
    own = own.where(stream.column(inner) == values.c.text, *lister.always(inner), hole("where"))
    own = own.order_by(hole("order")).limit(size).correlate(values)
    key: sa.ColumnElement[Any] = lister.source.alias.c.id
    if lister.sql.dialect.name == "sqlite":
        # SQLite has no LATERAL; a correlated list of ids is walked as far as it goes.
        select = lister.builder.select_from(values.join(lister.builder.source(), key.in_(own)))
    else:
        each = own.lateral("of_value")
        ids = sa.select(each.c.id).select_from(values.join(each, sa.true()))
        select = lister.builder.select().where(key.in_(ids))
    return select.order_by(hole("order")).limit(size)


def number_of(rows: sa.Select[Any], most: int) -> sa.Select[Any]:
    """How many rows there are, up to `most`."""
    return sa.select(sa.func.count()).select_from(rows.limit(most).subquery("counted"))


def count_of_values(lister: Listed, name: str, most: int) -> sa.Select[Any]:
    """A count, up to `most`: the rows of one value after those of the other."""
    values, stream = _values(name, lister.mapping.filters[name])
    rows, source = lister.rows(inner=False)
    one = ONE.select_from(values.join(rows, stream.column(source) == values.c.text))
    return number_of(one.where(*lister.always(source), hole("counted")), most)
