"""Bounds how many requests of one caller are worked on at once."""

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter, thread_time
from types import TracebackType

from app.core.fairness import Caller, too_many_wait
from app.http.pace import BUSY, FEWEST, MOST, TICK, Pace

MOST_WAITING = 1_000
"""Requests of one caller that may wait for one of its places."""


class InFlight:
    """At most `each` requests of a caller run; its others wait in order, before their bodies are read. They begin at a
    pace that leaves the loop time for other callers.

    What one caller keeps the loop busy with, and what its bodies take of memory, is bounded by this."""

    def __init__(
        self,
        each: int,
        busy: float = BUSY,
        time: Callable[[], float] = perf_counter,
        used: Callable[[], float] = thread_time,
        *,
        most_waiting: int = MOST_WAITING,
        fewest: float = FEWEST,
        most: int = MOST,
        tick: float = TICK,
    ) -> None:
        self._each = each
        self._most_waiting = most_waiting
        self._running: dict[Caller, int] = {}
        self._waiting: dict[Caller, deque[asyncio.Future[None]]] = {}
        self._pace = Pace(self._serve_all, busy, time, used, fewest=fewest, most=most, tick=tick)
        self._paced: dict[Caller, deque[asyncio.Future[None]]] = {}
        # Callers whose requests and lists both wait, and whose requests went on last.
        self._paced_next: set[Caller] = set()

    def __len__(self) -> int:
        """How many requests run or wait."""
        return sum(self._running.values()) + sum(map(len, self._waiting.values()))

    def of(self, caller: Caller) -> "Slot":
        """A place for one request of the caller, as a context; entering it raises RateLimited when too many wait."""
        return Slot(self, caller)

    def begins(self, caller: Caller) -> bool:
        """Begin a request, unless it has to wait: then it has to `enter`."""
        if caller in self._waiting:
            return False
        running = self._running.get(caller, 0)
        if running >= self._each or not self._pace.begins(caller):
            return False
        self._running[caller] = running + 1
        return True

    async def enter(self, caller: Caller) -> None:
        """Begin a request, as soon as the caller has a place for it. Raises RateLimited."""
        if self.begins(caller):
            return
        waiting = self._waiting.get(caller)
        if waiting is None:
            waiting = self._waiting[caller] = deque()
        if len(waiting) >= self._most_waiting:
            raise too_many_wait(self._most_waiting)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():  # it was given in the same turn of the loop
                self.leave(caller)
            elif place in waiting:
                waiting.remove(place)
                if not waiting:
                    del self._waiting[caller]
            raise

    async def pace(self, caller: Caller) -> None:
        """Wait until the caller may begin something that takes no place: a message, an item, more of a list."""
        waiting = self._paced.get(caller)
        if waiting is None:
            if self._pace.begins(caller):
                return
            waiting = self._paced[caller] = deque()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        await turn

    def leave(self, caller: Caller) -> None:
        """End a request: its place goes to the caller's next one."""
        if self._running[caller] == 1:
            del self._running[caller]
        else:
            self._running[caller] -= 1
        if self._waiting:
            self._serve(caller)

    def _serve_all(self) -> None:
        # In turns, so that a caller whose requests never end has its lists go on, and the other way round.
        for caller in tuple(self._waiting | self._paced):
            if caller in self._paced_next:
                self._serve_paced(caller)
                self._serve(caller)
            else:
                self._serve(caller)
                self._serve_paced(caller)

    def _serve(self, caller: Caller) -> None:
        """Begin as many of the requests of the caller that wait as may begin now."""
        waiting = self._waiting.get(caller)
        while waiting:
            if waiting[0].done():
                del waiting[0]
                continue
            running = self._running.get(caller, 0)
            if running >= self._each or not self._pace.begins(caller):
                return
            self._running[caller] = running + 1
            waiting.popleft().set_result(None)
            if caller in self._paced:
                self._paced_next.add(caller)
        self._waiting.pop(caller, None)

    def _serve_paced(self, caller: Caller) -> None:
        """Let go on as many of the lists of the caller that wait as may go on now."""
        turns = self._paced.get(caller)
        while turns:
            if turns[0].done():
                del turns[0]
                continue
            if not self._pace.begins(caller):
                return
            turns.popleft().set_result(None)
            self._paced_next.discard(caller)
        self._paced_next.discard(caller)
        self._paced.pop(caller, None)


class Slot:
    """The place of one request, held within the context."""

    __slots__ = ("_caller", "_in_flight")

    def __init__(self, in_flight: InFlight, caller: Caller) -> None:
        self._in_flight = in_flight
        self._caller = caller

    async def __aenter__(self) -> None:
        await self._in_flight.enter(self._caller)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._in_flight.leave(self._caller)
