"""The current time, injectable in tests, and how times are written."""

import re
from collections.abc import Callable
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime

import orjson

Clock = Callable[[], datetime]

_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WHOLE_SECONDS = 19
_MICROSECONDS = 26
_IN_QUOTES = len('"2026-01-31T09:30:00.000001Z"')


def utc_now() -> datetime:
    """The time now: aware, UTC, microseconds."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """RFC 3339 in UTC with six digits and `Z`: the only form in which the graph writes a time."""
    # Nearly every time is in UTC and has microseconds. Only for those does orjson produce a text of this length, which
    # is
    # then the same text, in a third of the time.
    written = orjson.dumps(moment, option=orjson.OPT_UTC_Z)
    if len(written) == _IN_QUOTES:
        return written[1:-1].decode()
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def parse_datetime(value: object) -> datetime:
    """An aware UTC datetime from RFC 3339; digits beyond microseconds are cut off. Raises ValueError."""
    match = _RFC3339.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("A DateTime has to look like 2026-01-31T09:30:00Z.")
    text = match[0].upper()
    moment = text[:_WHOLE_SECONDS] + (match[1] or "")[: _MICROSECONDS - _WHOLE_SECONDS]
    try:
        found = datetime.fromisoformat(moment + match[2].upper().replace("Z", "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("There is no such moment.") from None
    if not MINYEAR < found.year < MAXYEAR:
        # asyncpg takes the first and the last moment that Python has for infinity, which has no time zone.
        raise ValueError(f"A DateTime has to lie in the years {MINYEAR + 1} to {MAXYEAR - 1}.")
    return found


def parse_date(value: object) -> date:
    """A calendar date from `YYYY-MM-DD`. Raises ValueError."""
    if not isinstance(value, str) or _DATE.fullmatch(value) is None:
        raise ValueError("A Date has to look like 2026-01-31.")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("There is no such date.") from None
