"""Fair queueing of callers that compete for a resource.

A caller is the owner of a share: `Actor.caller`, or an address when there is no user. The caller that has used least of
the resource is served first (start-time fair queueing). A caller that was away starts level with the callers that are
there: idle time is not saved up."""

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from itertools import count
from typing import Generic, TypeVar

from app.core.errors import RateLimited

T = TypeVar("T")

Caller = Hashable

SERVER: Caller = "server"
"""The process itself. Its own work comes before that of all callers: key look-ups, the feed, deadlines, health."""


class _Share(Generic[T]):
    """What one caller has waiting and running, and how much it has used."""

    __slots__ = ("caller", "entries", "is_ordered", "running", "used")

    def __init__(self, caller: Caller, used: float) -> None:
        self.caller = caller
        self.used = used
        self.entries: deque[T] = deque()
        self.running = 0
        self.is_ordered = False


class FairQueue(Generic[T]):
    """Entries that wait for a resource. `pop` serves the caller that has used least of it.

    There is no lock inside: threads that share a queue must lock it."""

    def __init__(self, most_running: int | None = None) -> None:
        self.most_running = most_running
        """How many entries of a caller run at once. It may change while none runs."""
        self._shares: dict[Caller, _Share[T]] = {}
        # Shares with an entry that may run. `pop` puts a share back that was charged since it was added here.
        self._order: list[tuple[float, int, _Share[T]]] = []
        self._number = count()
        self._level = 0.0  # what the last served caller had used by then
        self._waiting = 0
        self._running = 0

    def __len__(self) -> int:
        """How many entries wait."""
        return self._waiting

    def waiting(self, caller: Caller) -> int:
        """How many entries of the caller wait."""
        share = self._shares.get(caller)
        return 0 if share is None else len(share.entries)

    def running(self, caller: Caller) -> int:
        """How many entries of the caller run."""
        share = self._shares.get(caller)
        return 0 if share is None else share.running

    def others(self, caller: Caller) -> int:
        """How many entries of other callers wait or run."""
        share = self._shares.get(caller)
        own = 0 if share is None else len(share.entries) + share.running
        return self._waiting + self._running - own

    def push(self, caller: Caller, entry: T) -> None:
        """Add an entry behind the caller's others."""
        share = self._share_of(caller)
        share.entries.append(entry)
        self._waiting += 1
        self._put_in_order(share)

    def begin(self, caller: Caller) -> bool:
        """Run an entry at once, until `done`. Returns False when entries wait, or when the caller already runs
        enough."""
        if self._waiting:
            return False
        share = self._shares.get(caller)
        if share is None:
            share = self._shares[caller] = _Share(caller, self._level)
        if self.most_running is not None and share.running >= self.most_running:
            return False
        if share.used > self._level:
            self._level = share.used
        share.running += 1
        self._running += 1
        return True

    def occupy(self, caller: Caller) -> None:
        """Count something that the caller runs elsewhere as an entry that runs, until `done`."""
        share = self._share_of(caller)
        share.running += 1
        self._running += 1

    def pop(self) -> tuple[Caller, T] | None:
        """The next entry, which runs from now on until `done`. None when no waiting entry may run."""
        while self._order:
            used, _, share = heapq.heappop(self._order)
            share.is_ordered = False
            if used < share.used or not self._may_run(share):
                self._put_in_order(share)
                continue
            self._level = max(self._level, share.used)
            share.running += 1
            self._running += 1
            self._waiting -= 1
            entry = share.entries.popleft()
            self._put_in_order(share)
            return share.caller, entry
        return None

    def done(self, caller: Caller, cost: float) -> None:
        """An entry that `pop` returned has ended. It used `cost` of the resource."""
        share = self._shares[caller]
        share.used += cost
        share.running -= 1
        self._running -= 1
        if share.entries:
            self._put_in_order(share)
        else:
            self._forget(share)

    def put_back(self, caller: Caller, entry: T) -> None:
        """Let an entry that `pop` returned wait again, before the caller's other entries: it was not run."""
        share = self._shares[caller]
        share.running -= 1
        self._running -= 1
        share.entries.appendleft(entry)
        self._waiting += 1
        self._put_in_order(share)

    def remove(self, caller: Caller, entry: T) -> bool:
        """Take a waiting entry out. Returns False when it does not wait here."""
        share = self._shares.get(caller)
        if share is None or entry not in share.entries:
            return False
        share.entries.remove(entry)
        self._waiting -= 1
        self._forget(share)
        return True

    def _share_of(self, caller: Caller) -> _Share[T]:
        # `begin` does the same without this call: it is on the way of every read.
        share = self._shares.get(caller)
        if share is None:
            share = self._shares[caller] = _Share(caller, self._level)
        return share

    def _may_run(self, share: _Share[T]) -> bool:
        return bool(share.entries) and (self.most_running is None or share.running < self.most_running)

    def _put_in_order(self, share: _Share[T]) -> None:
        if not share.is_ordered and self._may_run(share):
            share.is_ordered = True
            heapq.heappush(self._order, (share.used, next(self._number), share))

    def _forget(self, share: _Share[T]) -> None:
        """Drop the shares that no longer matter, so that the size of the queue follows the number of active callers."""
        if not self._waiting and not self._running:
            self._shares.clear()
            self._order.clear()
            self._level = 0.0
        elif not share.entries and not share.running and not share.is_ordered and share.used <= self._level:
            del self._shares[share.caller]


def too_many_wait(most: int) -> RateLimited:
    """The error for a caller that has `most` requests waiting already."""
    return RateLimited(f"{most} requests of this caller wait already. Try again in 1 s.", retry_after=1)


class Turn:
    """A turn of a caller, held until `end`."""

    __slots__ = ("_began", "_caller", "_turns")

    def __init__(self, turns: "Turns", caller: Caller) -> None:
        self._turns: Turns | None = turns
        self._caller = caller
        self._began = asyncio.get_running_loop().time()

    def end(self) -> None:
        """Pass the turn on. A second call does nothing."""
        turns, self._turns = self._turns, None
        if turns is not None:
            turns._end(self._caller, asyncio.get_running_loop().time() - self._began)


class Turns:
    """Lets at most `at_once` tasks run, at most `each` of one caller, and the others in a fair order.

    A caller that has `waiting` tasks waiting is refused another."""

    def __init__(self, at_once: int, *, each: int | None = None, waiting: int | None = None) -> None:
        self.free = at_once
        """How many tasks may begin now."""
        self._most_waiting = waiting
        self._queue: FairQueue[asyncio.Future[None]] = FairQueue(each)

    @property
    def waiting(self) -> int:
        """How many tasks wait."""
        return len(self._queue)

    @asynccontextmanager
    async def of(self, caller: Caller) -> AsyncIterator[None]:
        """Wait for a turn of the caller, and hold it. Raises RateLimited when too many of the caller's tasks wait."""
        turn = await self.take(caller)
        try:
            yield
        finally:
            turn.end()

    def at_once(self, caller: Caller) -> Turn | None:
        """A turn of the caller that begins now, which must be ended. None when the caller would have to wait."""
        if not self.free or not self._queue.begin(caller):
            return None
        self.free -= 1
        return Turn(self, caller)

    async def take(self, caller: Caller) -> Turn:
        """Wait for a turn of the caller, which must be ended. Raises RateLimited as `of` does."""
        if self._most_waiting is not None and self._queue.waiting(caller) >= self._most_waiting:
            raise too_many_wait(self._most_waiting)
        begun = self.at_once(caller)
        if begun is not None:
            return begun
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.push(caller, turn)
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            # Removed here, or already by `_serve`, in which case the turn that was given is passed on.
            if not self._queue.remove(caller, turn) and not turn.cancelled():
                self._end(caller, 0.0)
            raise
        return Turn(self, caller)

    def grow(self) -> None:
        """Let one more task run at once."""
        self.free += 1
        self._serve()

    def _end(self, caller: Caller, seconds: float) -> None:
        self._queue.done(caller, seconds)
        self.grow()

    def _serve(self) -> None:
        while self.free and (found := self._queue.pop()) is not None:
            caller, turn = found
            if turn.done():
                self._queue.done(caller, 0.0)
                continue
            self.free -= 1
            turn.set_result(None)


async def to_its_end(running: "asyncio.Future[T]") -> T:
    """The result of a call in a thread. A cancelled caller waits until the thread is free, so that its turn lasts as
    long."""
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        # The caller has left, so nobody reads the error.
        await asyncio.gather(running, return_exceptions=True)
        raise
