"""How far the tail is behind the log."""

import structlog

from app.core.clock import Clock
from app.core.events import LoggedEvent

log = structlog.get_logger(__name__)

_WORTH_A_WORD = 1.0


class Lag:
    """`seconds` is how old the latest events were when they were read. A lag of a second or more is logged, and again
    each time it has doubled."""

    def __init__(self, clock: Clock) -> None:
        self.seconds = 0.0
        self._clock = clock
        self._worth_a_word = _WORTH_A_WORD

    def note(self, first: LoggedEvent, count: int) -> None:
        """Note events that were read just now, by the first of them and their number."""
        self.seconds = (self._clock() - first.at).total_seconds()
        if self.seconds >= self._worth_a_word:
            log.warning("the feed lags behind the log", seconds=round(self.seconds, 1), events=count)
            self._worth_a_word = self.seconds * 2
        elif self.seconds < _WORTH_A_WORD:
            self._worth_a_word = _WORTH_A_WORD
