"""Moments are written in one form, however they were made."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.clock import rfc3339

_ZONES = st.one_of(
    st.just(UTC),
    st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23))),
    st.sampled_from(["UTC", "Europe/Berlin", "Africa/Monrovia", "Asia/Kathmandu"]).map(ZoneInfo),
)
_MOMENTS = st.datetimes(timezones=_ZONES).filter(lambda moment: 1 < moment.year < 9999)


@given(_MOMENTS, st.sampled_from((None, 0, 1, 100_000, 999_990)))
def test_moments_have_six_digits_and_z_in_every_zone(moment: datetime, microsecond: int | None) -> None:
    if microsecond is not None:
        moment = moment.replace(microsecond=microsecond)
    utc = moment.astimezone(UTC)
    date = f"{utc.year:04}-{utc.month:02}-{utc.day:02}"
    assert rfc3339(moment) == f"{date}T{utc.hour:02}:{utc.minute:02}:{utc.second:02}.{utc.microsecond:06}Z"


@pytest.mark.parametrize("moment", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 1, tzinfo=UTC)])
def test_moments_at_both_ends_are_read_back(moment: datetime) -> None:
    assert datetime.fromisoformat(rfc3339(moment)) == moment
