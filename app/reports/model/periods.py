"""Hours, days and months in UTC, and how they cover a time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Level(IntEnum):
    """The length of a period, smallest first."""

    HOUR = 0
    DAY = 1
    MONTH = 2


class Range(NamedTuple):
    """The periods of a level from `first` up to `end`, without `end`."""

    level: Level
    first: int
    end: int


def period_of(level: Level, at: datetime) -> int:
    """The number of the period that contains the moment, counted from 1970."""
    at = at.astimezone(UTC)
    if level is Level.MONTH:
        return (at.year - 1970) * 12 + at.month - 1
    return (at - _EPOCH) // (HOUR if level is Level.HOUR else _DAY)


def periods_of(at: datetime) -> Iterator[tuple[Level, int]]:
    """The number of the period that contains the moment, at each level."""
    return ((level, period_of(level, at)) for level in Level)


def period_start(level: Level, period: int) -> datetime:
    """The moment at which the period begins."""
    if level is Level.MONTH:
        return datetime(1970 + period // 12, period % 12 + 1, 1, tzinfo=UTC)
    return _EPOCH + period * (HOUR if level is Level.HOUR else _DAY)


def cover(since: datetime, until: datetime, longest: Level = Level.MONTH) -> Iterator[Range]:
    """The ranges, in order, that cover the time between two full hours with as few periods as possible."""
    if until <= since:
        return
    level = longest
    while level > Level.HOUR:
        first = period_of(level, since)
        if period_start(level, first) < since:
            first += 1
        end = period_of(level, until)
        if first < end:
            shorter = Level(level - 1)
            yield from cover(since, period_start(level, first), shorter)
            yield Range(level, first, end)
            yield from cover(period_start(level, end), until, shorter)
            return
        level = Level(level - 1)
    yield Range(Level.HOUR, period_of(Level.HOUR, since), period_of(Level.HOUR, until))
