"""Reads the marks to count, and stores the figures."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from app.interactions.tables import mark
from app.reports.model import Figures, Level, period_end
from app.reports.tables import cell, state, sum_of_teams
from app.storage.constructs import records
from app.storage.fixed import Fixed
from app.storage.repository import Repository


class CellKey(NamedTuple):
    """Whose figures a cell has, and of which period. `user_id` is 0 for no user, and when it is not `by_user`.

    `team_id` is None for the figures of all teams together."""

    by_user: bool
    level: Level
    period: int
    kind: str
    team_id: int | None
    user_id: int


_LOCK = sa.select(state.c.counts_since).with_for_update()
# Locked, so that no answer is retracted between reading and counting it.
_DUE = Fixed(
    sa.select(mark)
    .where(mark.c.due)
    .order_by(mark.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update()
)
_COUNTED = Fixed(
    sa.update(mark)
    .where(mark.c.id == sa.bindparam("key"))
    .values(
        due=sa.false(),
        counted=sa.true(),
        waited_ms=sa.bindparam("waited", type_=mark.c.waited_ms.type),
        within_target=sa.bindparam("within", type_=sa.Boolean),
    )
)


class _Kept:
    """The statements on a table of figures.

    The parameters of its primary key begin with `of_`. `get` returns the rows of the keys in the parameter `keys`, a
    JSON list: each its key and its figures."""

    def __init__(self, table: sa.Table) -> None:
        self.table = table
        key = sa.and_(*(column == sa.bindparam(f"of_{column.name}", type_=column.type) for column in table.primary_key))
        keys = records("keys", *table.primary_key)
        of_keys = sa.and_(*(column == keys.c[column.name] for column in table.primary_key))
        self.get = Fixed(sa.select(*table.primary_key, table.c.figures).select_from(keys.join(table, of_keys)))
        self.add = Fixed(sa.insert(table))
        self.save = Fixed(sa.update(table).where(key).values(figures=sa.bindparam("new", type_=table.c.figures.type)))
        self.delete = Fixed(sa.delete(table).where(key))

    def key(self, of: CellKey) -> dict[str, Any]:
        """The values of the primary key."""
        return {name: value for name, value in of._asdict().items() if name in self.table.primary_key.columns}


_CELLS, _SUMS = _Kept(cell), _Kept(sum_of_teams)


class ReportRepository(Repository):
    """Marks, and figures as they are counted. The process that counts holds the lock."""

    def lock(self) -> datetime:
        """Wait until no other process counts. Returns the time from which on there are figures."""
        found: datetime = self.connection.execute(_LOCK).scalar_one()
        return found

    def due(self, most: int) -> Sequence[Any]:
        """The first of the marks to count."""
        return self._all(_DUE, {"most": most})

    def counted(self, marks: Sequence[tuple[int, int | None, bool | None]]) -> None:
        """Record that these marks were counted: the surrogate of each, and how many milliseconds the customer waited,
        or None when the wait does not count."""
        rows = [{"key": key, "waited": waited, "within": within} for key, waited, within in marks]
        _COUNTED.run_many(self.connection, rows)

    def add(self, gained: Mapping[CellKey, Figures]) -> None:
        """Add these figures, which are those of teams, to the stored ones."""
        sums: defaultdict[CellKey, Figures] = defaultdict(Figures)
        for key, figures in gained.items():
            sums[key._replace(team_id=None)].add_all(figures)
        self._add(_CELLS, gained)
        self._add(_SUMS, sums)

    def _add(self, kept: _Kept, gained: Mapping[CellKey, Figures]) -> None:
        keys = orjson.dumps([kept.key(whose) for whose in gained]).decode()
        known = {tuple(key): text for *key, text in self._all(kept.get, {"keys": keys})}
        new, changed, empty = [], [], []
        for whose, figures in sorted(gained.items(), key=lambda each: each[0]):
            key = kept.key(whose)
            of = {f"of_{name}": value for name, value in key.items()}
            before = known.get(tuple(key.values()))
            if before is not None:
                figures.add_stored(orjson.loads(before))
            stored = figures.stored()
            text = orjson.dumps(stored).decode()
            if before is None:
                new.append({**key, "figures": text})
            elif stored:
                changed.append({**of, "new": text})
            else:
                empty.append(of)
        kept.add.run_many(self.connection, new)
        kept.save.run_many(self.connection, changed)
        kept.delete.run_many(self.connection, empty)

    def forget_marks(self, before: datetime, most: int) -> int:
        """Delete the oldest marks, at most so many, stopping at the first that is not counted or not old enough.
        Returns how many."""
        oldest = sa.select(mark.c.id, mark.c.at, mark.c.due).order_by(mark.c.id).limit(most)
        keys = []
        for key, at, due in self.connection.execute(oldest):
            if due or at >= before:
                break
            keys.append(key)
        if keys:
            self.connection.execute(sa.delete(mark).where(mark.c.id <= keys[-1]))
        return len(keys)

    def forget_figures(self, before: datetime, most: int) -> int:
        """Delete figures of periods that ended before this time, at most so many. Returns how many."""
        for table, by_user, level in product((cell, sum_of_teams), (False, True), Level):
            of = (table.c.by_user == by_user, table.c.level == int(level))
            oldest = sa.select(table.c.period).where(*of).order_by(table.c.period).limit(most)
            periods = self.connection.execute(oldest).scalars().all()
            old = [each for each in periods if period_end(level, each) <= before]
            if old:
                self.connection.execute(sa.update(state).values(counts_since=before))
                gone = sa.delete(table).where(*of, table.c.period <= old[-1])
                return int(self.connection.execute(gone).rowcount)
        return 0
