"""Pages of a caller's teams among the next rows of all."""

from collections.abc import Generator, Hashable, Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.sql import FromClause

from app.selection.connection import Asked, Listing, Variant
from app.selection.mapping import Many, RootMany, Sql
from app.selection.scope import Builder, Source
from app.selection.shape import Row, Run
from app.selection.sql import SqlCompiler
from app.selection.statement import Statement
from app.storage.query import Query

ROWS_FOR_EACH = 4
"""How many rows are looked at for each row of the page. A caller who sees one in four finds its page there."""

PAGES_LEFT_OUT = 16
"""For how many pages nothing is looked at after a page that was not found. Otherwise a caller who sees few rows would
pay for both ways each time."""

_MOST_REMEMBERED = 1_000
_BY_TIME = 2  # columns of a place: the time and the surrogate
_SIZE = sa.bindparam("size", type_=sa.Integer)


class Listed(Protocol):
    """What this module needs to know of the connection: where its rows come from, and who sees them."""

    mapping: Many | RootMany
    builder: Builder
    source: Source
    seen: Sql | bool
    listing: Listing

    @property
    def sql(self) -> SqlCompiler: ...

    def rows(self, *, inner: bool) -> tuple[FromClause, Source]: ...

    def ordering(self, inner: bool, variant: Variant) -> tuple[FromClause, Sequence[Sql]]: ...

    def placed(self, inner: bool, variant: Variant) -> tuple[FromClause, Sql]: ...


class Nearby:
    """The pages of a list that is otherwise read team by team: a walk of an index for each team, type and state.

    Where a caller sees many rows, its page is read in less time from the walk of all rows, which passes over those
    that are not seen. Only so many rows are looked at, and on SQLite all of the last one's time, however many there are
    that the caller does not see. When these do not fill the page, it is left to the other way."""

    def __init__(self, of: Listed) -> None:
        self._of = of
        # SQLite ends a walk at the first column of a place: at a time, but not in the middle of a level.
        self._orders = {name for name, order in of.mapping.orders.items() if len(order.by(of.source)) == _BY_TIME}
        self._left_out: dict[Hashable, int] = {}

    def read(self, asked: Asked, run: Run) -> Generator[Query, Sequence[Row], Sequence[Row] | None]:
        """The rows of the page and the one behind it. None when they are not found here."""
        variant, actor = asked.variant, run.env.actor
        if variant[3] or variant[0] not in self._orders:
            return None  # conditions have indexes of their own
        of_whom = actor.teams, variant
        left_out = self._left_out.get(of_whom, 0)
        if left_out:
            self._left_out[of_whom] = left_out - 1
            return None
        rows = yield self._of.listing.statement(variant, self._statement).query(asked.values, actor)
        if len(rows) > asked.page.size:
            return rows
        if len(self._left_out) >= _MOST_REMEMBERED:
            self._left_out.clear()
        self._left_out[of_whom] = PAGES_LEFT_OUT
        return None

    def _statement(self, variant: Variant) -> Statement:
        of, (order_name, backward, placed, _) = self._of, variant
        order = of.mapping.orders[order_name]
        before = [of.placed(inner=False, variant=variant)[1]] if placed else []
        here, last = sa.tuple_(*order.by(of.source)), self._last(variant).scalar_subquery()
        is_reached = here >= last if order.descending != backward else here <= last
        # Not by an index: PostgreSQL would sort all that a team has, where that seems to be little.
        assert not isinstance(of.seen, bool)  # a caller who sees all or nothing has no teams to read by
        is_seen = sa.case((of.seen, sa.true()), else_=sa.false())
        select = of.builder.select().where(*self._where(of.source), is_seen, *before, is_reached)
        return of.sql.statement(select.order_by(*of.ordering(inner=False, variant=variant)[1]).limit(_SIZE))

    def _last(self, variant: Variant) -> sa.Select[Any]:
        """The place of the last row that is looked at: of none, when there are not so many."""
        of = self._of
        rows, inner = of.rows(inner=True)
        before = [of.placed(inner=True, variant=variant)[1]] if variant[2] else []
        order = of.mapping.orders[variant[0]]
        place = sa.select(*order.by(inner)).select_from(rows).where(*self._where(inner), *before)
        number = _SIZE * sa.literal_column(str(ROWS_FOR_EACH), sa.Integer)
        ordered = place.order_by(*of.ordering(inner=True, variant=variant)[1])
        return ordered.limit(sa.literal_column("1")).offset(number)

    def _where(self, rows: Source) -> Sequence[Sql]:
        where = self._of.mapping.where
        return () if where is None else (where(rows),)
