"""The compile thread, and each caller's share of its time."""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from time import monotonic, thread_time
from typing import TypeVar

from app.core.errors import RateLimited
from app.core.fairness import Caller, Turns, to_its_end
from app.core.short_turns import short_turns

T = TypeVar("T")

MOST_WAITING = 100
"""How many new documents and plans of one caller wait at once."""

_MINUTE = 60.0
_MANY = 1_000


class Budgets:
    """A token bucket of CPU seconds for each caller: at most `per_minute`, filled evenly; 0 means no limit."""

    def __init__(self, per_minute: float, time: Callable[[], float] = monotonic) -> None:
        self._per_minute = per_minute
        self._time = time
        self._spent: dict[Caller, tuple[float, float]] = {}  # what is not filled up yet, and as of when

    def __len__(self) -> int:
        """How many callers are remembered."""
        return len(self._spent)

    def require(self, caller: Caller) -> None:
        """Raise RateLimited when the caller has nothing left."""
        over = self._missing(caller) - self._per_minute
        if self._per_minute and over >= 0:
            seconds = max(ceil(over * _MINUTE / self._per_minute), 1)
            raise RateLimited(
                f"New documents and large bodies of a caller may take {self._per_minute:g} s of computing a minute. "
                f"Try again in {seconds} s.",
                retry_after=seconds,
            )

    def charge(self, caller: Caller, seconds: float) -> None:
        """Deduct the seconds that were used; the balance may become negative."""
        if not self._per_minute:
            return
        if len(self._spent) >= _MANY:
            self._spent = {each: spent for each, spent in self._spent.items() if self._missing(each) > 0}
        self._spent[caller] = (self._missing(caller) + seconds, self._time())

    def _missing(self, caller: Caller) -> float:
        spent, since = self._spent.get(caller, (0.0, 0.0))
        return max(spent - (self._time() - since) * self._per_minute / _MINUTE, 0.0) if spent else 0.0


class Compiling:
    """Parses, validates and compiles off the event loop, one job at a time, within each caller's share.

    Only this thread compiles and only the loop touches the caches, so they need no lock. Equal jobs that are requested
    at the same time run once: the later ones find the result of the first."""

    def __init__(self, per_minute: float) -> None:
        self.done = 0
        """How many works were done."""
        self.budgets = Budgets(per_minute)
        self._turns = Turns(1, waiting=MOST_WAITING)
        self._asked: dict[tuple[Caller, Hashable], asyncio.Event] = {}
        self._thread = ThreadPoolExecutor(1, "compile")

    async def run(
        self,
        caller: Caller,
        key: Hashable,
        find: Callable[[], T | None],
        work: Callable[[], T],
        keep: Callable[[T], None],
    ) -> T:
        """The result of `find` when it is the caller's turn; otherwise that of `work`, run in the thread and stored by
        `keep`.

        Concurrent requests of one caller for the same `key` wait as one. Raises RateLimited when the caller's share is
        used up or too many of its jobs wait, and what `work` raises."""
        asked = (caller, key)
        while (first := self._asked.get(asked)) is not None:
            await first.wait()
            found = find()
            if found is not None:
                return found
        first = self._asked[asked] = asyncio.Event()
        try:
            return await self._in_turn(caller, find, work, keep)
        finally:
            del self._asked[asked]
            first.set()

    async def offload(self, caller: Caller, work: Callable[[], T]) -> T:
        """The result of `work`, run in the thread. Raises RateLimited as `run` does, and what `work` raises."""
        return await self._in_turn(caller, lambda: None, work, lambda _: None)

    async def _in_turn(
        self, caller: Caller, find: Callable[[], T | None], work: Callable[[], T], keep: Callable[[T], None]
    ) -> T:
        self.budgets.require(caller)
        async with self._turns.of(caller):
            found = find()
            if found is not None:
                return found
            self.budgets.require(caller)
            spent: list[float] = []
            try:
                with short_turns:
                    running = asyncio.get_running_loop().run_in_executor(self._thread, _timed, work, spent)
                    made = await to_its_end(running)
            finally:
                self.done += 1
                self.budgets.charge(caller, sum(spent))
            keep(made)
            return made

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _timed(work: Callable[[], T], spent: list[float]) -> T:
    began = thread_time()
    try:
        return work()
    finally:
        spent.append(thread_time() - began)
