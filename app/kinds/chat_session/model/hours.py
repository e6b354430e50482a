"""When a topic is open: its opening hours as moments."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


def zone(name: str | None) -> ZoneInfo:
    """The time zone of this name; UTC for None. Raises ValueError for an unknown name."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"{name} is no time zone") from error


def is_open(hours: Iterable[Mapping[str, str]], time_zone: str | None, now: datetime) -> bool:
    """Whether `now` is within one of the spans; without spans, always.

    A span that closes before it opens ends on the next day, and `24:00` is the end of the day. When the clocks repeat
    an hour, a span starts at its first and ends at its second occurrence. A time that the clocks skip is the moment of
    the skip."""
    spans = list(hours)
    there = zone(time_zone)
    today = now.astimezone(there).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return not spans or any(
        _moment(day + opens, there, last=False) <= now < _moment(day + closes, there, last=True)
        for span in spans
        for day in (today - _DAY, today)
        if _DAYS[day.weekday()] == span["day"]
        for opens, closes in (_times(span),)
    )


def open_between(
    hours: Iterable[Mapping[str, str]], time_zone: str | None, since: datetime, until: datetime
) -> timedelta:
    """How much of the time between the two moments was open, as `is_open` defines it; all of it without spans."""
    spans = list(hours)
    if not spans or until <= since:
        return max(until - since, timedelta())
    there = zone(time_zone)
    day, last = (
        each.astimezone(there).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        for each in (since, until)
    )
    day -= _DAY
    total, reached = timedelta(), since
    while day <= last:
        opened = sorted(
            (_moment(day + opens, there, last=False), _moment(day + closes, there, last=True))
            for span in spans
            if _DAYS[day.weekday()] == span["day"]
            for opens, closes in (_times(span),)
        )
        for begin, end in opened:
            # Spans may overlap. They begin in order, so everything before `reached` is already counted.
            begin, end = max(begin, reached), min(end, until)
            if end > begin:
                total, reached = total + (end - begin), end
        day += _DAY
    return total


def _times(span: Mapping[str, str]) -> tuple[timedelta, timedelta]:
    """When the span opens and closes, counted from the beginning of its day."""
    opens, closes = (_after_midnight(span[name]) for name in ("opens", "closes"))
    return opens, closes if closes > opens else closes + _DAY


def _after_midnight(text: str) -> timedelta:
    hour, minute = text.split(":")
    return timedelta(hours=int(hour), minutes=int(minute))


def _moment(wall: datetime, there: ZoneInfo, *, last: bool) -> datetime:
    """The moment at which the clocks show `wall`: the first or the last such moment, or the moment when they skip
    it."""
    moment = wall.replace(tzinfo=there, fold=int(last)).astimezone(UTC)
    if moment.astimezone(there).replace(tzinfo=None) == wall:
        return moment
    # Between these two the clocks go forward: before, they show less than `wall`, afterwards more.
    before = wall.replace(tzinfo=there, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=there, fold=0).astimezone(UTC)
    while after - before > _MINUTE:
        middle = before + (after - before) // 2
        if middle.astimezone(there).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after.replace(second=0, microsecond=0)
