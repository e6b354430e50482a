"""Opening hours as moments, on ordinary days and on those with 23 and 25 hours."""

from datetime import UTC, datetime

import pytest

from app.core.errors import InvalidInput
from app.kinds.chat_session.model.hours import is_open
from app.kinds.chat_session.model.limits import check_topic

Span = dict[str, str]
OSLO = "Europe/Oslo"


def span(day: str, opens: str, closes: str) -> Span:
    return {"day": day, "opens": opens, "closes": closes}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


OFFICE = [span("MONDAY", "08:00", "12:00"), span("MONDAY", "13:00", "16:30")]
NIGHT = [span("FRIDAY", "22:00", "06:00")]
DAY = [span("SUNDAY", "00:00", "24:00")]


@pytest.mark.parametrize(
    ("hours", "zone", "moment", "expected"),
    [
        ([], None, "2026-01-06T03:00", True),
        (OFFICE, None, "2026-01-05T07:59", False),
        (OFFICE, None, "2026-01-05T08:00", True),
        (OFFICE, None, "2026-01-05T12:00", False),
        (OFFICE, None, "2026-01-05T13:00", True),
        (OFFICE, None, "2026-01-05T16:30", False),
        (OFFICE, None, "2026-01-06T09:00", False),
        (OFFICE, OSLO, "2026-01-05T07:00", True),
        (OFFICE, OSLO, "2026-01-05T15:30", False),
        (NIGHT, None, "2026-01-09T21:59", False),
        (NIGHT, None, "2026-01-09T22:00", True),
        (NIGHT, None, "2026-01-10T05:59", True),
        (NIGHT, None, "2026-01-10T06:00", False),
        (NIGHT, None, "2026-01-09T05:00", False),
        ([span("FRIDAY", "18:00", "00:00")], None, "2026-01-09T23:59", True),
        ([span("FRIDAY", "18:00", "00:00")], None, "2026-01-10T00:00", False),
        (DAY, None, "2026-01-04T00:00", True),
        (DAY, None, "2026-01-04T23:59:59", True),
        (DAY, None, "2026-01-05T00:00", False),
        # On 29 March the clocks of Oslo go from 02:00 to 03:00, at 01:00 UTC.
        ([span("SUNDAY", "02:30", "05:00")], OSLO, "2026-03-29T00:59", False),
        ([span("SUNDAY", "02:30", "05:00")], OSLO, "2026-03-29T01:00", True),
        ([span("SUNDAY", "01:00", "02:30")], OSLO, "2026-03-29T00:59", True),
        ([span("SUNDAY", "01:00", "02:30")], OSLO, "2026-03-29T01:00", False),
        ([span("SUNDAY", "02:10", "02:50")], OSLO, "2026-03-29T01:00", False),
        # On 25 October they go from 03:00 back to 02:00, at 01:00 UTC.
        ([span("SUNDAY", "02:30", "05:00")], OSLO, "2026-10-25T00:29", False),
        ([span("SUNDAY", "02:30", "05:00")], OSLO, "2026-10-25T00:30", True),
        ([span("SUNDAY", "02:30", "05:00")], OSLO, "2026-10-25T01:15", True),
        ([span("SUNDAY", "01:00", "02:30")], OSLO, "2026-10-25T00:45", True),
        ([span("SUNDAY", "01:00", "02:30")], OSLO, "2026-10-25T01:29", True),
        ([span("SUNDAY", "01:00", "02:30")], OSLO, "2026-10-25T01:30", False),
        ([span("SATURDAY", "22:00", "02:30")], OSLO, "2026-10-25T01:29", True),
    ],
)
def test_hours_open_and_close(hours: list[Span], zone: str | None, moment: str, expected: bool) -> None:
    assert is_open(hours, zone, at(moment)) is expected


def test_hours_past_midnight_are_accepted_and_empty_ones_are_not() -> None:
    check_topic({"opening_hours": NIGHT, "time_zone": OSLO})
    for opens, closes in (("08:00", "08:00"), ("24:00", "08:00")):
        with pytest.raises(InvalidInput):
            check_topic({"opening_hours": [span("MONDAY", opens, closes)]})


def test_time_zone_that_does_not_exist_is_refused() -> None:
    for name in ("Europe/Atlantis", "../etc/passwd", "/etc/localtime"):
        with pytest.raises(InvalidInput) as refused:
            check_topic({"time_zone": name})
        assert refused.value.path == ("time_zone",)
