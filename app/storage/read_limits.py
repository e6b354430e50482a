"""Limits how long a read may run on PostgreSQL."""

import asyncio
from collections.abc import Callable
from time import thread_time

from app.storage.read_queue import Read, ReadQueue, TakesLong, too_long

_LATE_IN_IT = 5
"""How many times its time a short read may take where the loop was busy for most of it."""

_SOONEST = 0.001


class Limit:
    """A running read: when it began and is checked next, and when it ends at the latest."""

    __slots__ = ("began", "busy_before", "cancelled_before", "due", "ends", "reached", "read", "task")

    def __init__(
        self, read: Read, task: "asyncio.Task[object]", began: float, busy_before: float, due: float, ends: float
    ) -> None:
        self.read = read
        self.task = task
        self.began = began
        self.busy_before = busy_before
        self.cancelled_before = task.cancelling()
        self.due = due
        self.ends = ends
        self.reached: Exception | None = None
        """What the read has to raise; None while it may run on."""


class ReadLimits:
    """Cancels a read after `longest` seconds, and a short read that delays others when it has used `short` seconds.

    What the loop was `busy` with meanwhile does not count: an answer that is there waits until the loop takes it, so
    that the work of others would make a quick read long. One timer serves all reads: one timer per read would cost a
    third of a statement."""

    def __init__(self, queue: ReadQueue, short: float, longest: float, busy: Callable[[], float] = thread_time) -> None:
        self._queue = queue
        self._short = short
        self._longest = longest
        self._busy = busy
        self._running: set[Limit] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, read: Read, now: float) -> Limit:
        """Watch the read of the current task, until `end`."""
        task = asyncio.current_task()
        assert task is not None
        limit = Limit(read, task, now, self._busy(), now + self._short, now + self._longest)
        self._running.add(limit)
        if self._timer is None:
            self._wait_for(limit)
        return limit

    def used(self, limit: Limit, now: float) -> float:
        """How many of a short read's seconds the read has used."""
        seconds = now - limit.began
        return max(seconds - (self._busy() - limit.busy_before), seconds / _LATE_IN_IT)

    def end(self, limit: Limit) -> None:
        """The read has ended, in whatever way."""
        self._running.discard(limit)

    def reason(self, limit: Limit, error: BaseException) -> BaseException:
        """The error to raise for a read that ended with `error`: the reason of its cancellation, unless something else
        cancelled it too."""
        if limit.reached is None or limit.task.uncancel() > limit.cancelled_before:
            return error
        return limit.reached if isinstance(error, asyncio.CancelledError) else error

    def close(self) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.cancel()

    def _wait_for(self, limit: Limit) -> None:
        self._timer = asyncio.get_running_loop().call_at(min(limit.due, limit.ends), self._look)

    def _look(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for limit in self._running:
            if limit.reached is None and now >= min(limit.due, limit.ends):
                self._look_at(limit, now)
        waiting = [limit for limit in self._running if limit.reached is None]
        if waiting:
            self._wait_for(min(waiting, key=lambda limit: min(limit.due, limit.ends)))

    def _look_at(self, limit: Limit, now: float) -> None:
        left = self._short - self.used(limit, now)
        if now >= limit.ends:
            limit.reached = too_long(self._longest)
        elif left > 0:
            limit.due = now + max(left, _SOONEST)
            return
        elif self._queue.must_yield(limit.read):
            limit.reached = TakesLong()
        else:
            limit.due = now + self._short
            limit.read.end_trial()
            return
        limit.task.cancel()
