"""Durations as text: `90s`, `30m`, `2h`, `7d`."""

import re
from datetime import timedelta

LONGEST_DURATION = timedelta(days=36_500)
"""A hundred years: both databases can store any time of ours plus or minus this."""

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse_duration(text: str) -> timedelta:
    """The duration that a text names. A bare number is seconds. A duration that is too long becomes one over the
    longest.

    Raises ValueError for any other text."""
    match = re.fullmatch(r"([0-9]{1,18})([smhd]?)", text.strip(), re.ASCII)
    if match is None:
        raise ValueError("it has to look like 90s, 30m, 2h or 7d")
    # Compared as a number, because a timedelta cannot hold every number of days.
    return timedelta(seconds=min(int(match[1]) * _SECONDS[match[2]], LONGEST_DURATION.total_seconds() + 1))


def written_duration(value: timedelta) -> str:
    """The text of whole seconds, as `parse_duration` reads it: `90s`, `30m`, `24h`, and `2d` from two days on."""
    seconds = int(value.total_seconds())
    for unit, least in (("d", 2 * _SECONDS["d"]), ("h", _SECONDS["h"]), ("m", _SECONDS["m"])):
        if seconds >= least and seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"


def require_possible(value: timedelta) -> timedelta:
    """The duration itself. Raises ValueError unless it is positive and not over the longest."""
    if not timedelta(0) < value <= LONGEST_DURATION:
        raise ValueError(f"it has to be longer than 0s and at most {LONGEST_DURATION.days}d")
    return value
