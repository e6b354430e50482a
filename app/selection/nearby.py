"""Pages of a caller's teams among the next rows of all."""

from collections.abc import Generator, Hashable, Sequence
from typing import Any

import sqlalchemy as sa

from app.selection.connection import Asked, Variant
from app.selection.generic_plans import ROUNDED, Known, seen_of_first, sees_a_part
from app.selection.listing import SIZE, Lister
from app.selection.mapping import Sql
from app.selection.scope import Source
from app.selection.shape import Row, Run
from app.selection.sql import Template
from app.selection.statement import Statement
from app.storage.query import Query

ROWS_FOR_EACH = 4
"""How many rows are looked at for each row of the page. A caller who sees one in four finds its page there."""

PAGES_LEFT_OUT = 16
"""For how many pages nothing is looked at after a page that was not found. Otherwise a caller who sees few rows would
pay for both ways each time."""

_MOST_REMEMBERED = 1_000
_BY_TIME = 2  # columns of a place: the time and the surrogate


def looks_nearby(of: Lister) -> bool:
    """Whether pages of the list are looked for among the next rows of all.

    PostgreSQL plans that once for all callers, but a list by what a caller sees anew at each run."""
    return of.seen_by_teams or (of.sql.dialect.name == "postgresql" and sees_a_part(of))


class Nearby:
    """The pages of a list that is otherwise read team by team, a walk of an index for each team, type and state, or
    planned anew for each caller.

    Where a caller sees many rows, its page is read in less time from the walk of all rows, which passes over those
    that are not seen. Only so many rows are looked at, and on SQLite all of the last one's time, however many there are
    that the caller does not see. When these do not fill the page, it is left to the other way."""

    def __init__(self, of: Lister) -> None:
        self._of = of
        self._template: Template | None = None
        self._orders = set(of.mapping.orders)
        if of.sql.dialect.name == "sqlite":
            # It ends a walk at the first column of a place: at a time, but not in the middle of a level.
            self._orders = {name for name in self._orders if len(of.mapping.orders[name].by(of.source)) == _BY_TIME}
        self._left_out: dict[Hashable, int] = {}

    def read(self, asked: Asked, run: Run) -> Generator[Query, Sequence[Row], Sequence[Row] | None]:
        """The rows of the page and the one behind it. None when they are not found here."""
        variant, actor = asked.variant, run.env.actor
        if variant[3] or variant[0] not in self._orders:
            return None  # conditions have indexes of their own
        of_whom = actor.teams, None if self._of.seen_by_teams else actor.user_id, variant
        left_out = self._left_out.get(of_whom, 0)
        if left_out:
            self._left_out[of_whom] = left_out - 1
            return None
        statement = self._statement(asked)
        if statement is None:
            return None
        rows = yield statement.query(asked.values, actor)
        if len(rows) > asked.page.size:
            return rows
        if len(self._left_out) >= _MOST_REMEMBERED:
            self._left_out.clear()
        self._left_out[of_whom] = PAGES_LEFT_OUT
        return None

    def _statement(self, asked: Asked) -> Statement | None:
        listing = self._of.listing
        if self._of.sql.dialect.name == "sqlite":
            return listing.statement(asked.variant, self._reached)
        most = ROUNDED.get(asked.page.size)
        if most is None:
            return None
        return listing.statement(Known(asked.variant, (("most", str(most * ROWS_FOR_EACH)),)), self._bounded)

    def _bounded(self, known: Known) -> Statement:
        of = self._of
        if self._template is None:
            self._template = of.sql.template(seen_of_first(of, self._where(of.source)))
        return of.statement(self._template, known.variant, (), dict(known.constants))

    def _reached(self, variant: Variant) -> Statement:
        of, (order_name, backward, placed, _) = self._of, variant
        order = of.mapping.orders[order_name]
        before = [of.placed(inner=False, variant=variant)[1]] if placed else []
        here, last = sa.tuple_(*order.by(of.source)), self._last(variant).scalar_subquery()
        is_reached = here >= last if order.descending != backward else here <= last
        assert not isinstance(of.seen, bool)  # a caller who sees all or nothing has no teams to read by
        is_seen = sa.case((of.seen, sa.true()), else_=sa.false())
        select = of.builder.select().where(*self._where(of.source), is_seen, *before, is_reached)
        return of.sql.statement(select.order_by(*of.ordering(inner=False, variant=variant)[1]).limit(SIZE))

    def _last(self, variant: Variant) -> sa.Select[Any]:
        """The place of the last row that is looked at: of none, when there are not so many."""
        of = self._of
        rows, inner = of.rows(inner=True)
        before = [of.placed(inner=True, variant=variant)[1]] if variant[2] else []
        order = of.mapping.orders[variant[0]]
        place = sa.select(*order.by(inner)).select_from(rows).where(*self._where(inner), *before)
        number = SIZE * sa.literal_column(str(ROWS_FOR_EACH), sa.Integer)
        ordered = place.order_by(*of.ordering(inner=True, variant=variant)[1])
        return ordered.limit(sa.literal_column("1")).offset(number)

    def _where(self, rows: Source) -> Sequence[Sql]:
        where = self._of.mapping.where
        return () if where is None else (where(rows),)
