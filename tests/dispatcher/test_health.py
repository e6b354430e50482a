"""What follows from how deliveries go."""

from datetime import UTC, datetime, timedelta

import pytest

from app.destinations.model import Attempt
from app.destinations.model.retries import Retries
from app.dispatcher.health import MOST_UNDELIVERED, Health

NOW = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)


def attempt(status: int | None, at: datetime = NOW, retry_after: float | None = None) -> Attempt:
    return Attempt(at=at, latency_ms=1, http_status=status, retry_after=retry_after)


def health() -> Health:
    return Health(Retries(), 8, None, None)


def test_health_sends_one_at_a_time_after_four_failures_in_a_row() -> None:
    made = health()
    for _ in range(3):
        made.learn(attempt(500))
    assert (made.at_once, made.room, made.failing_since) == (8, MOST_UNDELIVERED, None)
    made.learn(attempt(None, NOW + DAY))
    assert (made.at_once, made.room, made.failing_since) == (1, 5, NOW)
    made.learn(attempt(500))
    assert made.room == 6
    made.learn(attempt(204, NOW + 2 * DAY))
    assert (made.at_once, made.room, made.failing_since) == (8, MOST_UNDELIVERED, None)
    assert made.delivered_at == NOW + 2 * DAY


def test_health_of_before_is_gone_on_with() -> None:
    made = Health(Retries(), 8, NOW - DAY, NOW - 2 * DAY)
    assert made.at_once == 1
    made.learn(attempt(500))
    assert made.failing_since == NOW - DAY
    assert (made.arrived_since(NOW - 3 * DAY), made.arrived_since(NOW - DAY)) == (True, False)


def test_health_is_quiet_for_as_long_as_the_receiver_asks() -> None:
    made = health()
    made.learn(attempt(429, retry_after=60))
    assert made.quiet_until == NOW + timedelta(seconds=60)
    made.learn(attempt(503, retry_after=10))
    assert made.quiet_until == NOW + timedelta(seconds=60)
    made.learn(attempt(503, retry_after=10**9))
    assert made.quiet_until == NOW + DAY
    made.learn(attempt(200))
    assert made.quiet_until is None


def test_health_says_when_a_delivery_was_tried_for_long_enough() -> None:
    made = health()
    assert not made.is_over(NOW, attempt(500, NOW + 3 * DAY - timedelta(seconds=1)))
    assert made.is_over(NOW, attempt(500, NOW + 3 * DAY))


@pytest.mark.parametrize(
    ("attempts", "jitter", "asked", "seconds"),
    [
        (1, 0.0, None, 2.5),
        (1, 1.0, None, 5.0),
        (2, 1.0, None, 10.0),
        (10, 1.0, None, 2_560.0),
        (11, 1.0, None, 3_600.0),
        (500, 0.0, None, 1_800.0),
        (1, 1.0, 120.0, 120.0),
        (11, 1.0, 1.0, 3_600.0),
        (1, 1.0, 1e9, 86_400.0),
    ],
)
def test_retries_double_up_to_an_hour_and_honour_what_is_asked(
    attempts: int, jitter: float, asked: float | None, seconds: float
) -> None:
    assert Retries().pause(attempts, jitter, asked) == timedelta(seconds=seconds)
