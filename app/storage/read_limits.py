"""Limits how long a read may run on PostgreSQL."""

import asyncio

from app.storage.read_queue import Read, ReadQueue, TakesLong, too_long


class Limit:
    """A running read: when it is checked next, and when it ends at the latest."""

    __slots__ = ("cancelled_before", "due", "ends", "reached", "read", "task")

    def __init__(self, read: Read, task: "asyncio.Task[object]", due: float, ends: float) -> None:
        self.read = read
        self.task = task
        self.cancelled_before = task.cancelling()
        self.due = due
        self.ends = ends
        self.reached: Exception | None = None
        """What the read has to raise; None while it may run on."""


class ReadLimits:
    """Cancels a read after `longest` seconds. Every `short` seconds it also cancels a short read that delays others.

    One timer serves all reads: one timer per read would cost a third of a statement."""

    def __init__(self, queue: ReadQueue, short: float, longest: float) -> None:
        self._queue = queue
        self._short = short
        self._longest = longest
        self._running: set[Limit] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, read: Read, now: float) -> Limit:
        """Watch the read of the current task, until `end`."""
        task = asyncio.current_task()
        assert task is not None
        limit = Limit(read, task, now + self._short, now + self._longest)
        self._running.add(limit)
        if self._timer is None:
            self._wait_for(limit)
        return limit

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
        if self._queue.must_yield(limit.read):
            limit.reached = TakesLong()
        elif now >= limit.ends:
            limit.reached = too_long(self._longest)
        else:
            limit.due = now + self._short
            return
        limit.task.cancel()
