"""Bounds how many requests of one caller are worked on at once."""

import asyncio
from collections import deque
from types import TracebackType

from app.core.fairness import Caller, too_many_wait

MOST_WAITING = 1_000
"""Requests of one caller that may wait for one of its places."""


class InFlight:
    """At most `each` requests of a caller run; its others wait in order, before their bodies are read.

    What one caller keeps the loop busy with, and what its bodies take of memory, is bounded by this."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._running: dict[Caller, int] = {}
        self._waiting: dict[Caller, deque[asyncio.Future[None]]] = {}

    def __len__(self) -> int:
        """How many requests run or wait."""
        return sum(self._running.values()) + sum(map(len, self._waiting.values()))

    def of(self, caller: Caller) -> "Slot":
        """A place for one request of the caller, as a context; entering it raises RateLimited when too many wait."""
        return Slot(self, caller)

    async def enter(self, caller: Caller) -> None:
        """Begin a request, as soon as the caller has a place for it. Raises RateLimited."""
        running = self._running.get(caller, 0)
        if running < self._each:
            self._running[caller] = running + 1
            return
        waiting = self._waiting.setdefault(caller, deque())
        if len(waiting) >= MOST_WAITING:
            raise too_many_wait(MOST_WAITING)
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

    def leave(self, caller: Caller) -> None:
        """End a request: its place goes to the caller's next one."""
        waiting = self._waiting.get(caller)
        while waiting:
            place = waiting.popleft()
            if not waiting:
                del self._waiting[caller]
            if not place.done():
                place.set_result(None)
                return
        if self._running[caller] == 1:
            del self._running[caller]
        else:
            self._running[caller] -= 1


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
