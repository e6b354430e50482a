"""How long another server asks to be left alone."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds of the header `retry-after`; None where there is none, and for what is no such time."""
    given = headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return float(given[:9])
    try:
        return max((parsedate_to_datetime(given) - now).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        # TypeError: a time without its zone. OverflowError: a number in it that no machine's integer holds.
        return None
