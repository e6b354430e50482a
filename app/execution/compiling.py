"""The compile thread, and each caller's share of its time."""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from time import thread_time
from typing import TypeVar

from app.budgets import Budget, Store
from app.core.fairness import Caller, Turns, to_its_end
from app.core.short_turns import short_turns

T = TypeVar("T")

MOST_WAITING = 100
"""How many new documents and plans of one caller wait at once."""

_PARTS = 1_000_000  # of a second, in which computing is counted


class Compiling:
    """Parses, validates and compiles off the event loop, one job at a time, within each caller's share.

    Only this thread compiles and only the loop touches the caches, so they need no lock. Equal jobs that are requested
    at the same time run once: the later ones find the result of the first."""

    def __init__(self, per_minute: float, store: Store | None = None) -> None:
        self.done = 0
        """How many works were done."""
        says = f"A caller's new documents and large bodies may take {per_minute:g} s of computing a minute."
        self.budget = Budget("computing", per_minute * _PARTS, says, store)
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
        await self.budget.require(caller)
        async with self._turns.of(caller):
            found = find()
            if found is not None:
                return found
            # What waited before it may have used up the rest. Nobody's turn waits for another process.
            self.budget.require_here(caller)
            spent: list[float] = []
            try:
                with short_turns:
                    running = asyncio.get_running_loop().run_in_executor(self._thread, _timed, work, spent)
                    made = await to_its_end(running)
            finally:
                self.done += 1
                self.charge(caller, sum(spent))
            keep(made)
            return made

    def charge(self, caller: Caller, seconds: float) -> None:
        """Count seconds of computing for the caller, also beyond its share."""
        self.budget.add(caller, ceil(seconds * _PARTS))

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _timed(work: Callable[[], T], spent: list[float]) -> T:
    began = thread_time()
    try:
        return work()
    finally:
        spent.append(thread_time() - began)
