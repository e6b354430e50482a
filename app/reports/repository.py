"""Reads marks that are to be counted, and keeps the figures."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from app.interactions.tables import mark
from app.reports.model import Figures, Level, period_start
from app.reports.tables import cell, state
from app.storage.fixed import Fixed
from app.storage.repository import Repository


class CellKey(NamedTuple):
    """Whose figures a cell has, and of which period; `user_id` is 0 for none, and where it is not `by_user`."""

    by_user: bool
    level: Level
    period: int
    kind: str
    team_id: int
    user_id: int


_LOCK = sa.select(state.c.counts_since).with_for_update()
# Locked, so that no answer is retracted between being read and being counted.
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
_KEY = sa.and_(*(column == sa.bindparam(f"of_{column.name}", type_=column.type) for column in cell.primary_key))
_GET, _ADD = Fixed(sa.select(cell.c.figures).where(_KEY)), Fixed(sa.insert(cell))
_SAVE = Fixed(sa.update(cell).where(_KEY).values(figures=sa.bindparam("new", type_=cell.c.figures.type)))
_DELETE = Fixed(sa.delete(cell).where(_KEY))


class ReportRepository(Repository):
    """Marks and figures, as they are counted. Whoever counts holds the lock."""

    def lock(self) -> datetime:
        """Wait until nobody else counts; since when there are figures."""
        found: datetime = self.connection.execute(_LOCK).scalar_one()
        return found

    def due(self, most: int) -> Sequence[Any]:
        """The first of the marks that are to be counted."""
        return self._all(_DUE, {"most": most})

    def counted(self, marks: Sequence[tuple[int, int | None, bool | None]]) -> None:
        """These have been counted: the surrogate, and for how many milliseconds the customer waited, None where
        that counts nothing."""
        rows = [{"key": key, "waited": waited, "within": within} for key, waited, within in marks]
        _COUNTED.run_many(self.connection, rows)

    def add(self, gained: Mapping[CellKey, Figures]) -> None:
        """Add the figures to those that are kept."""
        new, changed, empty = [], [], []
        for key, figures in sorted(gained.items(), key=lambda each: each[0]):
            of = {f"of_{name}": value for name, value in key._asdict().items()}
            row = self._one(_GET, of)
            if row is not None:
                figures.add_stored(orjson.loads(row.figures))
            stored = figures.stored()
            text = orjson.dumps(stored).decode()
            if row is None:
                new.append({**key._asdict(), "figures": text})
            elif stored:
                changed.append({**of, "new": text})
            else:
                empty.append(of)
        _ADD.run_many(self.connection, new)
        _SAVE.run_many(self.connection, changed)
        _DELETE.run_many(self.connection, empty)

    def forget_marks(self, before: datetime, most: int) -> int:
        """Delete the oldest marks, at most so many, up to the first that is not counted or not older; how many."""
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
        """Delete figures of periods that ended before then, at most so many; how many."""
        for by_user in (False, True):
            for level in Level:
                of = (cell.c.by_user == by_user, cell.c.level == int(level))
                oldest = sa.select(cell.c.period).where(*of).order_by(cell.c.period).limit(most)
                periods = self.connection.execute(oldest).scalars().all()
                old = [each for each in periods if period_start(level, each + 1) <= before]
                if old:
                    self.connection.execute(sa.update(state).values(counts_since=before))
                    gone = sa.delete(cell).where(*of, cell.c.period <= old[-1])
                    return int(self.connection.execute(gone).rowcount)
        return 0
