"""Counts the marks of commands in parts, and deletes old ones."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.interactions.marks import Outcome
from app.reports.model import Figures, Level, periods_of
from app.reports.repository import CellKey, ReportRepository

if TYPE_CHECKING:
    from app.interactions.rules import Hours
    from app.storage.work import Work

MOST_MARKS = 100
"""How many marks one unit counts; on SQLite other commands wait for it."""

_MOST_FORGOTTEN = 1_000
_MILLISECOND = timedelta(milliseconds=1)
_KEPT = timedelta(days=30)
"""How long a mark is kept after it was counted. If its answer fails later, it stays counted."""

_MEASURED = {Outcome.ANSWERED_BY_BOT: "bot", Outcome.CLOSED: "closed"}


def count_marks(work: "Work", most: int = MOST_MARKS) -> bool:
    """Add the next marks, at most so many, to the figures. Returns whether more are left."""
    reports = work.use(ReportRepository)
    reports.lock()
    marks = reports.due(most)
    if not marks:
        return False
    hours = _Hours(work)
    gained: defaultdict[CellKey, Figures] = defaultdict(Figures)
    counted = []
    for mark in marks:
        figures, waited, within = _figures(work, hours, mark)
        counted.append((mark.id, waited, within))
        for key in _cells(mark):
            gained[key].add_all(figures)
    reports.add(gained)
    reports.counted(counted)
    return len(marks) == most


def forget_marks(work: "Work") -> bool:
    """Delete marks that were counted long ago, and figures older than `report_retention`. Returns whether more are
    left."""
    reports = work.use(ReportRepository)
    reports.lock()
    marks = reports.forget_marks(work.now - min(_KEPT, work.settings.report_retention), _MOST_FORGOTTEN)
    figures = reports.forget_figures(work.now - work.settings.report_retention, _MOST_FORGOTTEN)
    return marks == _MOST_FORGOTTEN or figures > 0


class _Hours:
    """The opening hours of accounts, each read once per unit."""

    def __init__(self, work: "Work") -> None:
        self._work = work
        self._known: dict[str | None, Hours | None] = {None: None}

    def passed(self, mark: Any, since: datetime) -> int:
        """How many of the milliseconds from that time until the mark were in opening hours."""
        kind = self._work.kinds.get(mark.kind)
        if mark.account not in self._known:
            self._known[mark.account] = None if kind is None else kind.hours(self._work, mark.account)
        hours = self._known[mark.account]
        return (mark.at - since if hours is None else hours(since, mark.at)) // _MILLISECOND


def _figures(work: "Work", hours: _Hours, mark: Any) -> tuple[Figures, int | None, bool | None]:
    """What the mark adds to the figures; how long the customer waited, and whether that was within the target, if it
    counts."""
    figures = Figures()
    waited, within, times = mark.waited_ms, mark.within_target, 0
    if mark.stands and not mark.counted and mark.outcome is not None:
        times, waited = 1, hours.passed(mark, mark.waited_since)
        target = work.settings.response_targets.get(mark.kind)
        if target is not None and mark.outcome == Outcome.ANSWERED:
            within = waited <= target // _MILLISECOND
    elif not mark.stands and waited is not None:
        times = -1
    if times and waited is not None:
        name = _MEASURED.get(mark.outcome) or ("first" if mark.is_first else "next")
        figures.measure(name, waited / 1_000, times)
        if within is not None:
            figures.count("targeted", times)
            figures.count("within", times * within)
    if not mark.counted:
        if mark.opened_at is not None:
            figures.measure("resolution", hours.passed(mark, mark.opened_at) / 1_000)
        figures.count("reopened", int(mark.reopened))
        figures.count("missed", int(mark.missed))
    return (figures, waited, within) if mark.stands else (figures, None, None)


def _cells(mark: Any) -> Iterator[CellKey]:
    for level, period in periods_of(mark.at):
        yield CellKey(False, level, period, mark.kind, mark.team_id, 0)
        if level is not Level.HOUR_OF_DAY:
            yield CellKey(True, level, period, mark.kind, mark.team_id, mark.user_id or 0)
