"""How long this process may deliver under one name."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic

_SPARE = 0.25
"""The share of a life at whose end nothing is sent any more, though no other process delivers yet."""


class Tenure:
    """The right to deliver to what `holder` holds. It is extended whenever the holder's life is prolonged.

    A process that was stopped for long sends nothing when it goes on, for others may have taken what it held."""

    def __init__(self, holder: str, lasts: timedelta, time: Callable[[], float] = monotonic) -> None:
        self.holder = holder
        self.ends_at = float("-inf")
        self._seconds = lasts.total_seconds() * (1 - _SPARE)
        self._time = time

    def extend(self, began: float) -> None:
        """The life was prolonged by a command that began at this time."""
        self.ends_at = began + self._seconds

    @property
    def is_over(self) -> bool:
        return self._time() >= self.ends_at
