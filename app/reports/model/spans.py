"""The span of time of a report, grouped in a time zone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from app.core.errors import InvalidInput
from app.directory.model.checks import time_zone
from app.reports.model.periods import HOUR, Level, cover, period_start

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

    def shares(self, kept_since: datetime) -> Mapping[Level, Mapping[int, Sequence[Share]]]:
        """What the periods of each level add to the span or its groups, with figures kept since then."""
        found: defaultdict[Level, defaultdict[int, list[Share]]] = defaultdict(lambda: defaultdict(list))
        begins = self.starts or (self.since,)
        for begin, end in zip(begins, (*begins[1:], self.until), strict=True):
            longest = Level.HOUR if self.by is Grouping.HOUR_OF_DAY else Level.MONTH
            for level, period, times in cover(begin, end, kept_since, longest):
                group = self._hour(period) if self.by is Grouping.HOUR_OF_DAY else begin
                found[level][period].append(Share(group, times))
        return found

    def _hour(self, period: int) -> int:
        return period_start(Level.HOUR, period).astimezone(self.zone).hour


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
