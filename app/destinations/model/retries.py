"""The schedule of retries."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Retries:
    """Exponential back-off from `first` to `longest`, and how long a delivery is retried.

    `Retry-After` is honoured up to `longest_asked`."""

    first: timedelta = timedelta(seconds=5)
    longest: timedelta = timedelta(hours=1)
    longest_asked: timedelta = timedelta(days=1)
    tried_for: timedelta = timedelta(days=3)

    def asked(self, seconds: float) -> timedelta:
        """The pause that a receiver asks for, at most `longest_asked`."""
        return min(timedelta(seconds=seconds), self.longest_asked)

    def pause(self, attempts: int, jitter: float, retry_after: float | None) -> timedelta:
        """The pause after so many failed attempts, at least as long as the receiver asked for.

        `jitter`, from 0 to 1, spreads deliveries that failed together over the second half of the pause."""
        doubled = min(self.first * (1 << min(attempts - 1, 24)), self.longest)
        pause = doubled * (0.5 + jitter / 2)
        return pause if retry_after is None else max(pause, self.asked(retry_after))
