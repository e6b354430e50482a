from datetime import UTC, date, datetime

import pytest

from app.core.clock import parse_date, parse_datetime
from app.core.errors import InvalidInput
from app.graph.scalars import refuse_unstorable_text


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T09:30:00Z", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
        ("2026-01-31t09:30:00z", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
        ("2026-01-31T09:30:00.5+01:30", datetime(2026, 1, 31, 8, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-01-31T09:30:00.123456789Z", datetime(2026, 1, 31, 9, 30, 0, 123_456, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_utc(text: str, moment: datetime) -> None:
    assert parse_datetime(text) == moment
    assert parse_datetime(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31",
        "2026-01-31T09:30:00",
        "2026-01-31 09:30:00Z",
        "2026-02-30T09:30:00Z",
        "0001-01-01T00:00:00+01:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999Z",
        "2026-01-31T09:30:60Z",
        "2026-01-31T09:30:00+0100",
        "2026-01-31T09:30:00.Z",
        "",
        5,
        None,
        True,
    ],
)
def test_what_is_no_moment_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"^(A DateTime has to (look like|lie in)|There is no such moment)"):
        parse_datetime(text)


def test_dates() -> None:
    assert parse_date("2026-01-31") == date(2026, 1, 31)
    for text in ("2026-1-31", "20260131", "2026-02-30", 5):
        with pytest.raises(ValueError, match=r"^(A Date has to look like|There is no such date)"):
            parse_date(text)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("a\0b", ()),
        ({"a": ["x", {"b": "\0"}]}, ("a", 1, "b")),
        ({"a": {"k\0": 1}}, ("a",)),
        ({"a": "\ud800"}, ("a",)),
        (["\udfff"], (0,)),
    ],
)
def test_text_that_no_database_can_hold_is_found(value: object, path: tuple[str | int, ...]) -> None:
    with pytest.raises(InvalidInput) as caught:
        refuse_unstorable_text(value)
    assert caught.value.path == path


def test_every_other_text_may_be_stored() -> None:
    refuse_unstorable_text({"a": ["\\u0000", "\u0001", "🍓", "é", None, 1, 1.5, True, {"": ""}]})
