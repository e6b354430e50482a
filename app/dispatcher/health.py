"""Whether deliveries to a destination succeed, and how many may be tried."""

from datetime import datetime

from app.destinations.model import Attempt
from app.destinations.model.retries import Retries

MOST_UNDELIVERED = 1_000
"""How many events are read from the log ahead of delivery. Events of one interaction wait for each other; reading ahead
keeps them from delaying the others."""

_DOUBTFUL = 4
"""Failures without a success between them, after which a destination counts as failing."""


class Health:
    """The success of the latest attempts. A failing destination gets one request at a time."""

    def __init__(
        self, retries: Retries, most_in_flight: int, failing_since: datetime | None, delivered_at: datetime | None
    ) -> None:
        self.failing_since = failing_since
        self.delivered_at = delivered_at
        self.quiet_until: datetime | None = None
        self._retries = retries
        self._most_in_flight = most_in_flight
        self._failures = 0 if failing_since is None else _DOUBTFUL
        self._first_failure = failing_since

    @property
    def at_once(self) -> int:
        """The number of requests that may be in flight."""
        return self._most_in_flight if self._failures < _DOUBTFUL else 1

    @property
    def room(self) -> int:
        """How many events may be read that are not delivered. While no delivery succeeds, it grows by one with each
        try: a dead receiver does not fill the memory, and a receiver that refuses a few events gets the others."""
        return MOST_UNDELIVERED if self._failures < _DOUBTFUL else min(self._failures + 1, MOST_UNDELIVERED)

    def learn(self, attempt: Attempt) -> None:
        """Record an attempt."""
        if attempt.is_success:
            self._failures = 0
            self._first_failure = self.failing_since = self.quiet_until = None
            self.delivered_at = attempt.at
            return
        self._failures += 1
        if self._first_failure is None:
            self._first_failure = attempt.at
        if self._failures >= _DOUBTFUL:
            self.failing_since = self._first_failure
        if attempt.retry_after is not None:
            until = attempt.at + self._retries.asked(attempt.retry_after)
            self.quiet_until = until if self.quiet_until is None else max(until, self.quiet_until)

    def is_over(self, first_attempt_at: datetime, attempt: Attempt) -> bool:
        """Whether the time for retries is over for a delivery that was first tried at `first`."""
        return attempt.at - first_attempt_at >= self._retries.tried_for

    def arrived_since(self, moment: datetime) -> bool:
        """Whether a delivery has succeeded since `first`."""
        return self.delivered_at is not None and self.delivered_at > moment
