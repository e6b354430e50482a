"""The span of time of a report, grouped in a time zone."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import groupby, pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from app.core.errors import InvalidInput
from app.directory.model.checks import time_zone
from app.reports.model.periods import HOUR, Level, Piece, cover, cover_by_hour, period_of, period_start

LONGEST = timedelta(days=400)
"""The longest time that a report covers."""

LONGEST_IN_DETAIL = timedelta(days=100)
"""The longest time of a report by day or by hour."""


class Grouping(Enum):
    """What the figures of a report are grouped by."""

    KIND = "KIND"
    TEAM = "TEAM"
    USER = "USER"
    DAY = "DAY"
    MONTH = "MONTH"
    HOUR_OF_DAY = "HOUR_OF_DAY"


_ANY_DAY = datetime(2000, 1, 2)  # noqa: DTZ001 - only the hours of its day are looked at
_IN_DETAIL = (Grouping.DAY, Grouping.HOUR_OF_DAY)


class Share(NamedTuple):
    """How often a period counts in a part of a span: the day or month that begins then, or the hour of the day."""

    part: datetime | int
    times: int


@dataclass(frozen=True, slots=True)
class Span:
    """The hours that begin between two moments. `starts` are the starts of its days or months, if grouped by these."""

    since: datetime
    until: datetime
    zone: ZoneInfo
    by: Grouping | None
    starts: Sequence[datetime] = ()

    @classmethod
    def asked(cls, arguments: Mapping[str, Any]) -> "Span":
        """The span that the arguments of a report name. Raises InvalidInput."""
        by = None if arguments.get("group_by") is None else Grouping(arguments["group_by"])
        zone = ZoneInfo(time_zone(arguments["time_zone"], ("time_zone",)))
        given = arguments["since"], arguments["until"]
        if given[0] >= given[1]:
            raise InvalidInput("A report has to end after it begins.", path=("until",))
        longest = LONGEST_IN_DETAIL if by in _IN_DETAIL else LONGEST
        if given[1] - given[0] > longest + HOUR:
            how = " by day or by hour" if by in _IN_DETAIL else ""
            raise InvalidInput(f"A report{how} is for {longest.days} days at most.", path=("until",))
        since, until = map(_full_hour, given)
        starts = _starts(since, until, zone, by) if by in (Grouping.DAY, Grouping.MONTH) else ()
        return cls(since, until, zone, by, starts)

    def shares(self, kept_since: datetime, *, by_user: bool) -> Mapping[Level, Mapping[int, Sequence[Share]]]:
        """What the periods of each level add to the span or its groups, with figures kept since then.

        The figures of users are not kept by hour of the day."""
        shares: Iterator[tuple[datetime | int, Piece]]
        if self.by is Grouping.HOUR_OF_DAY:
            shares = self._of_hours(kept_since, Level.DAY if by_user else Level.MONTH)
        else:
            shares = self._of_starts(kept_since)
        found: defaultdict[Level, defaultdict[int, list[Share]]] = defaultdict(lambda: defaultdict(list))
        for part, (level, period, times) in shares:
            found[level][period].append(Share(part, times))
        return found

    def _of_starts(self, kept_since: datetime) -> Iterator[tuple[datetime, Piece]]:
        for begin, end in pairwise((*(self.starts or (self.since,)), self.until)):
            for piece in cover(begin, end, kept_since):
                yield begin, piece

    def _of_hours(self, kept_since: datetime, longest: Level) -> Iterator[tuple[int, Piece]]:
        for shift, begin, end in self._shifts():
            for hour, piece in cover_by_hour(begin, end, kept_since, longest):
                yield (_ANY_DAY + hour * HOUR + shift).hour, piece

    def _shifts(self) -> Iterator[tuple[timedelta, datetime, datetime]]:
        """The parts of the span between two changes of the time zone's clocks, and how far these are from UTC."""
        hours = range(period_of(Level.HOUR, self.since), period_of(Level.HOUR, self.until))
        starts = (period_start(Level.HOUR, each) for each in hours)
        for shift, part in groupby(starts, key=lambda start: start.astimezone(self.zone).utcoffset()):
            between = list(part)
            yield shift or timedelta(), between[0], between[-1] + HOUR


def _full_hour(at: datetime) -> datetime:
    """The first full hour that begins at the moment or later."""
    at = at.astimezone(UTC)
    begun = at.replace(minute=0, second=0, microsecond=0)
    return begun if begun == at else begun + HOUR


def _starts(since: datetime, until: datetime, zone: ZoneInfo, by: Grouping) -> Sequence[datetime]:
    """The starts of the days or months that the span touches in the time zone. The first is the span's own start."""
    found = [since]
    day = since.astimezone(zone).date()
    while True:
        if by is Grouping.MONTH:
            day = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
        else:
            day = day + timedelta(days=1)
        start = _full_hour(datetime(day.year, day.month, day.day, tzinfo=zone))
        if start >= until:
            return found
        if start > found[-1]:
            found.append(start)
