"""How fast one caller's requests begin while others ask too."""

import asyncio
from collections.abc import Callable
from time import perf_counter, thread_time

from app.core.fairness import Caller

TICK = 0.001
"""Seconds after which each caller may begin as many requests again."""

FEWEST = 1
MOST = 32
"""The bounds of how many requests of one caller begin in a tick."""

BUSY = 0.6
"""The part of the time for which the loop may work while others ask too. In the rest the threads have the interpreter:
a read needs it some twenty times, and would wait for it each time as long as the loop may keep it."""

TOGETHER = 0.1
"""Seconds for which a caller counts as there after its last request began."""


class Pace:
    """Lets each caller begin so many requests in a millisecond that the loop is not busy all the time.

    A caller that asks alone begins as many as it likes: there is nobody whom it could keep waiting."""

    def __init__(
        self,
        go_on: Callable[[], None],
        time: Callable[[], float] = perf_counter,
        used: Callable[[], float] = thread_time,
    ) -> None:
        self.each = MOST
        """How many requests of a caller may begin in a tick, as of now."""
        self._go_on = go_on
        self._time = time
        self._used = used
        self._begun: dict[Caller, int] = {}
        self._latest: Caller | None = None
        self._together_until = 0.0
        self._ticks = False
        self._since = (0.0, 0.0)

    def begins(self, caller: Caller) -> bool:
        """Whether a request of the caller may begin now. `go_on` is called after a tick in which one might not."""
        now = self._time()
        if caller != self._latest:
            if self._latest is not None:
                self._together_until = now + TOGETHER
            self._latest = caller
        if now >= self._together_until:
            return True
        if not self._ticks:
            self._ticks = True
            self._since = (now, self._used())
            asyncio.get_running_loop().call_later(TICK, self._tick)
        begun = self._begun.get(caller, 0)
        if begun >= self.each:
            return False
        self._begun[caller] = begun + 1
        return True

    def _tick(self) -> None:
        self._ticks = False
        began, used = self._since
        busy = (self._used() - used) / max(self._time() - began, TICK / 2)
        if busy > BUSY:
            self.each = max(self.each // 2, FEWEST)
        elif self.each < MOST:
            self.each += 1
        self._begun.clear()
        self._go_on()
