"""Parses the header `Retry-After`."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds that `Retry-After` asks to wait; None without the header and for an invalid one."""
    given = headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return float(given[:9])
    try:
        return max((parsedate_to_datetime(given) - now).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        # TypeError: a time without a zone. OverflowError: a number that is too large.
        return None
