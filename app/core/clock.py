"""Where the time comes from; a function, so that tests can hand in another."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time now: aware, UTC, microseconds."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """RFC 3339 in UTC with six digits and `Z`: the one form in which the graph writes a time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
