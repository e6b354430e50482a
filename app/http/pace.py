"""How fast one caller's requests begin while others ask too."""

import asyncio
from collections.abc import Callable
from time import perf_counter, thread_time

from app.core.company import Company
from app.core.fairness import Caller

TICK = 0.001
"""Seconds after which each caller may begin as many requests again."""

FEWEST = 0.25
MOST = 32
"""The bounds of how many requests of one caller begin in a tick. The fewest are one in four ticks, as a request
may keep the loop for two of them."""

BUSY = 0.6
"""The part of the time for which the loop may work while others ask too. In the rest the threads have the interpreter,
and the loop has time at once for what is short."""

BUSY_BESIDE_READERS = 0.4
"""The same where reads run in threads of the process, as on SQLite: each needs the interpreter some twenty times, and
would wait for it each time as long as the loop may keep it."""

LATE = 4 * TICK
"""Seconds of a tick after which the loop counts as busy, whatever it has used: it had to wait for the interpreter or
for a core, and has the more to do."""


class Allowance:
    """How many of something that keeps the loop busy may begin in a tick: half as many after each tick for most of
    which it was busy, one more after each other, or twice as many where it is less than one."""

    def __init__(
        self,
        fewest: float,
        most: int,
        busy: float,
        time: Callable[[], float] = perf_counter,
        used: Callable[[], float] = thread_time,
    ) -> None:
        self.each: float = most
        """How many, as of now."""
        self._fewest = fewest
        self._most = most
        self._busy = busy
        self._time = time
        self._used = used
        self._since = (0.0, 0.0)

    @property
    def is_scarce(self) -> bool:
        """Whether the loop is too busy for all that could begin."""
        return self.each < self._most

    def begin(self) -> None:
        """Begin a tick."""
        self._since = (self._time(), self._used())

    def end(self) -> None:
        """End the tick that began last."""
        began, used = self._since
        seconds = self._time() - began
        if seconds > LATE or self._used() - used > self._busy * max(seconds, TICK / 2):
            self.each = max(self.each // 2 if self.each > 1 else self.each / 2, self._fewest)
        elif self.each < self._most:
            self.each += min(self.each, 1)


class Pace:
    """Lets each caller begin so many requests in a millisecond that the loop is not `busy` for more of the time.

    A caller that asks alone begins as many as it likes: there is nobody whom it could keep waiting."""

    def __init__(
        self,
        go_on: Callable[[], None],
        busy: float,
        time: Callable[[], float] = perf_counter,
        used: Callable[[], float] = thread_time,
        *,
        fewest: float = FEWEST,
        most: int = MOST,
        tick: float = TICK,
    ) -> None:
        self._allowance = Allowance(fewest, most, busy, time, used)
        self._seconds = tick
        self._go_on = go_on
        # What each caller has begun beyond what the ticks allowed. A caller without an entry begins at once.
        self._begun: dict[Caller, float] = {}
        self._company = Company(time)
        self._ticks = False

    def begins(self, caller: Caller) -> bool:
        """Whether a request of the caller may begin now. `go_on` is called after a tick in which one might not."""
        if caller != self._company.latest:
            self._company.note(caller)
        if not self._company.is_there:
            return True
        if not self._ticks:
            self._begin_tick()
        begun = self._begun.get(caller, 0)
        if begun and begun + 1 > self._allowance.each:
            return False
        self._begun[caller] = begun + 1
        return True

    def _begin_tick(self) -> None:
        self._ticks = True
        self._allowance.begin()
        asyncio.get_running_loop().call_later(self._seconds, self._tick)

    def _tick(self) -> None:
        self._ticks = False
        each = self._allowance.each
        self._allowance.end()
        self._begun = {caller: begun - each for caller, begun in self._begun.items() if begun > each}
        if self._begun:
            self._begin_tick()
        self._go_on()
