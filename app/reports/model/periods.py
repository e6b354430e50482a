"""Hours, days and months in UTC, and how they cover a time."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_HOURS = 24
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Level(IntEnum):
    """What a period is: an hour, a day or a month, shortest first; or an hour of the day, on all days of a month."""

    HOUR = 0
    DAY = 1
    MONTH = 2
    HOUR_OF_DAY = 3


class Piece(NamedTuple):
    """A period that a time is made up of: once, or taken away from a longer one with -1."""

    level: Level
    period: int
    times: int = 1


def period_of(level: Level, at: datetime) -> int:
    """The number of the period that contains the moment, counted from 1970."""
    at = at.astimezone(UTC)
    month = (at.year - 1970) * 12 + at.month - 1
    if level is Level.MONTH:
        return month
    if level is Level.HOUR_OF_DAY:
        return month * _HOURS + at.hour
    return (at - _EPOCH) // (HOUR if level is Level.HOUR else _DAY)


def periods_of(at: datetime) -> Iterator[tuple[Level, int]]:
    """The number of the period that contains the moment, at each level."""
    return ((level, period_of(level, at)) for level in Level)


def period_start(level: Level, period: int) -> datetime:
    """The moment at which the period begins."""
    if level is Level.HOUR_OF_DAY:
        return period_start(Level.MONTH, period // _HOURS) + period % _HOURS * HOUR
    if level is Level.MONTH:
        return datetime(1970 + period // 12, period % 12 + 1, 1, tzinfo=UTC)
    return _EPOCH + period * (HOUR if level is Level.HOUR else _DAY)


def period_end(level: Level, period: int) -> datetime:
    """A moment at which the period is over."""
    if level is Level.HOUR_OF_DAY:
        return period_start(Level.MONTH, period // _HOURS + 1)
    return period_start(level, period + 1)


def cover(since: datetime, until: datetime, kept_since: datetime, longest: Level = Level.MONTH) -> Sequence[Piece]:
    """The fewest periods that make up the time between two full hours.

    Where less is left of a period than is left out, it is the whole with the rest taken away: a day of Oslo is one of
    UTC, with an hour more before it and one less at its end. What is taken away has to be known, so that periods that
    began before `kept_since` are only added up."""
    if until <= since:
        return ()
    if longest is Level.HOUR:
        return [Piece(Level.HOUR, each) for each in range(period_of(Level.HOUR, since), period_of(Level.HOUR, until))]
    first, last = period_of(longest, since), period_of(longest, until - HOUR)
    if first == last:
        return _within(longest, first, since, until, kept_since)
    second, at_last = period_start(longest, first + 1), period_start(longest, last)
    return [
        *_within(longest, first, since, second, kept_since),
        *(Piece(longest, each) for each in range(first + 1, last)),
        *_within(longest, last, at_last, until, kept_since),
    ]


def _within(level: Level, period: int, since: datetime, until: datetime, kept_since: datetime) -> Sequence[Piece]:
    """The fewest periods that make up a time within one period of the level."""
    begin, end = period_start(level, period), period_start(level, period + 1)
    if (begin, end) == (since, until):
        return [Piece(level, period)]
    shorter = Level(level - 1)
    added = cover(since, until, kept_since, shorter)
    if begin < kept_since:
        return added
    rest = (*cover(begin, since, kept_since, shorter), *cover(until, end, kept_since, shorter))
    if len(added) <= 1 + len(rest):
        return added
    return [Piece(level, period), *(each._replace(times=-each.times) for each in rest)]


def cover_by_hour(
    since: datetime, until: datetime, kept_since: datetime, longest: Level
) -> Iterator[tuple[int, Piece]]:
    """The fewest periods that make up the time between two full hours, for each hour of the day in UTC.

    They are hours, and hours of the day in months if `longest` is MONTH. `kept_since` is as for `cover`."""
    first, end = period_of(Level.HOUR, since), period_of(Level.HOUR, until)
    for hour in range(_HOURS):
        # The days that have this hour, which begin with the first full hour.
        begin_day, end_day = (period_start(Level.DAY, -((hour - each) // _HOURS)) for each in (first, end))
        for level, period, times in cover(begin_day, end_day, kept_since, longest):
            of = Level.HOUR_OF_DAY if level is Level.MONTH else Level.HOUR
            yield hour, Piece(of, period * _HOURS + hour, times)
