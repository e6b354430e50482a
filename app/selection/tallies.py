"""Counts a list's rows by several groupings in one bounded statement."""

from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.core.paging import Page
from app.selection.connection import PAGE, Variant
from app.selection.listing import Lister
from app.selection.mapping import Env, RootTally
from app.selection.shape import Row, Run
from app.selection.sql import Select
from app.selection.statement import Statement
from app.selection.tree import Arguments, Field, Variables
from app.storage.query import Query

if TYPE_CHECKING:
    from app.selection.compilation import Compilation

_MOST_KEPT = 32
_TOTAL = ""

Reading = Generator[Query, Sequence[Row], Any]


def compile_tally(compilation: "Compilation", root: RootTally, field: Field) -> Callable[[Run], Reading]:
    """Compile how a RootTally is read."""
    block = compilation.item(root.type, field.children or {})
    tally = _Tally(compilation, root, field.arguments)
    compilation.statements += 1
    arguments = field.arguments

    def read(run: Run) -> Reading:
        given: Any = arguments(run.env.variables)["group_by"]
        asked = list(dict.fromkeys(given))
        query = tally.query(tuple(sorted(asked)), run.env)
        rows = () if query is None else (yield query)
        made = yield from block.assemble([tally.value(asked, rows)], run)
        return made[0]

    return read


class _Tally:
    def __init__(self, compilation: "Compilation", root: RootTally, arguments: Arguments) -> None:
        self._root = root
        of_list = Field(name="", key="", arguments=_of_list(arguments, root.most_counted), children={"": ()})
        self._lister = Lister(compilation, root.of, of_list, leading=0, name="")
        source, slot = self._lister.source, self._lister.builder.slot
        self._key = slot(source.c.id)
        self._sums = [slot(sa.cast(sql(source), sa.Integer)) for sql in root.sums.values()]
        self._own = {
            name: slot(sa.cast(grouping.value(source), sa.Text))
            for name, grouping in root.groupings.items()
            if grouping.beside is None
        }
        self._pages: dict[tuple[str, ...], Callable[[Variant], Statement]] = {}

    def query(self, groupings: tuple[str, ...], env: Env) -> Query | None:
        """The statement that counts by these groupings; None for a list of which nothing may be seen."""
        listing = self._lister.listing
        asked = listing.asked(env)
        if self._lister.seen is False:
            return None
        page = self._pages.get(groupings)
        if page is None:
            if len(self._pages) >= _MOST_KEPT:  # clients choose the groupings, so their number must stay limited
                self._pages.clear()
            page = self._pages[groupings] = self._lister.pages(partial(self._counted, groupings))
        return listing.statement(asked.unplaced, page).query(asked.values, env.actor)

    def value(self, asked: Sequence[str], rows: Sequence[Row]) -> Mapping[str, object]:
        """The result of the root field, from the rows of a query."""
        total, most = 0, self._root.most_counted
        groups: dict[str, list[Mapping[str, object]]] = {name: [] for name in asked}
        for name, value, count, *sums in rows:
            if name == _TOTAL:
                total = count
                continue
            grouping = self._root.groupings[name]
            shown = None if value is None else grouping.name(value)
            counts = {each: min(sum_ or 0, most) for each, sum_ in zip(self._root.sums, sums, strict=True)}
            node = shown if grouping.refers else None
            groups[name].append({"value": shown, "node": node, "count": min(count, most), **counts})
        return {
            "count": min(total, most),
            "count_is_capped": total > most,
            "groupings": [
                {
                    "by": name,
                    "groups": _sorted(found)[: self._root.most_groups],
                    "is_capped": len(found) > self._root.most_groups,
                }
                for name, found in groups.items()
            ],
        }

    def _counted(self, groupings: tuple[str, ...], page: sa.Select[Any]) -> Select:
        """The rows of a page, counted: in total, and by each grouping."""
        read = [self._key, *self._sums, *(self._own[name] for name in groupings if name in self._own)]
        columns = page.selected_columns
        wanted = dict.fromkeys(f"c{slot}" for slot in read)
        rows = page.with_only_columns(*(columns[name] for name in wanted), maintain_column_froms=True).cte("matched")
        counts = [sa.func.count(), *(sa.func.sum(rows.c[f"c{slot}"]) for slot in self._sums)]

        def by(name: str, value: sa.ColumnElement[Any], source: sa.FromClause) -> sa.Select[Any]:
            return sa.select(sa.literal_column(f"'{name}'", sa.Text), value, *counts).select_from(source)

        parts = [by(_TOTAL, sa.cast(sa.null(), sa.Text), rows)]
        for name in groupings:
            beside = self._root.groupings[name].beside
            if beside is None:
                value: sa.ColumnElement[Any] = rows.c[f"c{self._own[name]}"]
                parts.append(by(name, value, rows).group_by(value))
            else:
                table, of = beside
                value = self._root.groupings[name].value(table)
                parts.append(by(name, value, rows.join(table, of(rows.c[f"c{self._key}"]))).group_by(value))
        return sa.union_all(*parts)


def _of_list(arguments: Arguments, most: int) -> Arguments:
    """The arguments of the list that is counted, up to so many rows."""

    def given(variables: Variables) -> dict[str, object]:
        found = {name: value for name, value in arguments(variables).items() if name != "group_by"}
        return {**found, PAGE: Page(most)}

    return given


def _sorted(groups: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, object]]:
    """The largest group first. Groups of one size are ordered by value, with the group without a value last."""
    return sorted(groups, key=lambda group: (-group["count"], group["value"] is None, group["value"] or ""))
