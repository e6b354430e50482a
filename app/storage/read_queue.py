"""Decides which plan reads next, fairly between callers and lengths."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from app.core.company import Company
from app.core.errors import Timeout, Unavailable
from app.core.fairness import SERVER, Caller, FairQueue, Turn, too_many_wait
from app.storage.query import Steps

LONGEST_WAIT = 30.0
"""How many seconds a read may wait for its turn. A read that waited longer is refused when its turn comes."""

_MOST_REMEMBERED = 1_000

_SHORT_AGAIN = 0.5
"""The part of a short read's time that a long one may use, to count as short from then on. Reads that take about as
long as a short one may would become long and short again in turn."""


@dataclass(slots=True, eq=False)
class Read:
    """A plan that waits or runs. On SQLite its future ends with the plan, on PostgreSQL when its turn comes."""

    steps: Steps[Any]
    snapshot: bool
    caller: Caller
    future: asyncio.Future[Any]
    asked: float = 0.0  # when it began to wait
    is_long: bool = False
    statement: str = ""  # the statement that runs, or ran last
    cause: str = ""  # the statement in which it turned out to be long
    trial: Turn | None = None  # its turn to run statements that are new of its caller

    @property
    def is_short(self) -> bool:
        """Whether it gets only a little time before it counts as long."""
        return not self.is_long and self.caller is not SERVER

    def end_trial(self) -> None:
        """Pass its turn to run new statements on."""
        trial, self.trial = self.trial, None
        if trial is not None:
            trial.end()

    def require_patience(self) -> None:
        """Raise Unavailable when the read has waited too long."""
        if self.asked and monotonic() - self.asked > LONGEST_WAIT:
            raise Unavailable("All readers are busy with other reads. Try again in 1 s.")


class TakesLong(Exception):
    """A short read has used up its time while others read or wait. It starts again among the long reads."""


def share_of(readers: int) -> int:
    """How many of the readers the short reads of one caller may use."""
    return max(1, readers // 2)


class ReadQueue:
    """The reads that wait for one of `readers`, in three classes.

    The server's own reads go first. Then a long read starts if fewer than `most_long` of them run; otherwise a short
    one starts. Within a class, the caller that has used least is served first. The reads of one caller use at most half
    of the readers, where that leaves one for its short reads, and its long reads at most a quarter of `most_long`. A
    read is short unless it used up `short_seconds` before. There is no lock inside: threads that share the queue must
    lock it. `waiting` is the number of waiting reads. `opened` of the readers exist; each call of `grow` adds one.
    `met` is called whenever a caller asks after another."""

    def __init__(
        self,
        readers: int,
        *,
        most_long: int,
        most_waiting: int,
        short_seconds: float,
        opened: int | None = None,
        met: Callable[[], None] | None = None,
    ) -> None:
        self.most_long = most_long
        self.most_waiting = most_waiting
        self.short_seconds = short_seconds
        self.most_short_each = share_of(readers)
        self._shares_readers = self.most_short_each > 1
        self.most_long_each = max(1, most_long // 4)
        self.waiting = 0
        self.free = readers if opened is None else opened
        self._own: deque[Read] = deque()
        self._short: FairQueue[Read] = FairQueue(self.most_short_each)
        self._long: FairQueue[Read] = FairQueue(self.most_long_each)
        self._long_running = 0
        self._remembered: dict[tuple[Caller, str], None] = {}
        self._company = Company(met=met)

    def start(self, read: Read) -> bool:
        """Whether the read may run at once, until `end` or `restart`: it may when no other read has to go first."""
        if read.caller is not self._company.latest:
            self._company.note(read.caller)
        if not self.free or self._own or not (read.caller is SERVER or self._short.begin(read.caller)):
            return False
        self.free -= 1
        return True

    def add(self, read: Read) -> bool:
        """Let the read wait. Returns whether `next` may give it out now, not only after another read has ended.

        Raises RateLimited when too many reads of its caller wait."""
        read.asked = monotonic()
        if read.caller is SERVER:
            self._own.append(read)
            self.waiting += 1
            return self.free > 0
        if self._short.waiting(read.caller) + self._long.waiting(read.caller) >= self.most_waiting:
            raise too_many_wait(self.most_waiting)
        self._short.push(read.caller, read)
        self.waiting += 1
        return self.free > 0 and self._short.running(read.caller) < self.most_short_each

    def next(self) -> Read | None:
        """The read that runs from now on, until `end` or `restart`; None when none may run."""
        if not self.waiting or not self.free:
            return None
        read = self._first()
        if read is not None:
            self.waiting -= 1
            self.free -= 1
        return read

    def _first(self) -> Read | None:
        if self._own:
            return self._own.popleft()
        if self._long_running < self.most_long and (found := self._long.pop()) is not None:
            self._long_running += 1
            if self._shares_readers:
                self._short.occupy(found[0])
            return found[1]
        found = self._short.pop()
        return None if found is None else found[1]

    def grow(self) -> None:
        """One more reader exists."""
        self.free += 1

    def end(self, read: Read, seconds: float, used: float | None = None) -> None:
        """The read has ended after it ran for so long. It `used` so much of what a short read may use: that time, where
        nothing else is known."""
        self.free += 1
        if read.is_long:
            self._long_running -= 1
            self._long.done(read.caller, seconds)
            if self._shares_readers:
                self._short.done(read.caller, 0.0)
            if (seconds if used is None else used) < self.short_seconds * _SHORT_AGAIN:
                self._remembered.pop((read.caller, read.cause), None)
        elif read.caller is not SERVER:
            self._short.done(read.caller, seconds)

    def restart(self, read: Read, seconds: float) -> None:
        """The read ran for so long, and now waits again, as a long read."""
        self.free += 1
        self._short.done(read.caller, seconds)
        read.is_long = True
        read.asked = monotonic()
        read.cause = read.statement
        self._long.push(read.caller, read)
        self.waiting += 1
        # For this caller only: the arguments of one caller may be slow where another's are fast.
        if len(self._remembered) >= _MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[read.caller, read.cause] = None

    def remove(self, read: Read) -> None:
        """Take a waiting read out of the queue. A read that already runs is not affected."""
        if read.caller is SERVER:
            is_out = read in self._own
            if is_out:
                self._own.remove(read)
        else:
            is_out = (self._long if read.is_long else self._short).remove(read.caller, read)
        self.waiting -= is_out

    def must_yield(self, read: Read) -> bool:
        """Whether a short read that has used up its time delays another caller.

        Threads may ask without the lock: a slightly late answer does no harm."""
        return read.is_short and self._short.others(read.caller) + self._long.others(read.caller) > 0

    def has_company(self, read: Read) -> bool:
        """Whether others read, or have read lately, whom a short read delays should it take long."""
        return self.must_yield(read) or (read.is_short and self._company.is_there)

    def require_short(self, read: Read, statement: str) -> None:
        """Record which statement comes next. Raises TakesLong when this statement has made a read of the caller long
        before, and others have read lately."""
        read.statement = statement
        if self._remembered and (read.caller, statement) in self._remembered and self.has_company(read):
            raise TakesLong


def too_long(seconds: float) -> Timeout:
    """The error for a plan that was stopped."""
    return Timeout(f"This took longer than {seconds:g} seconds; ask for less at once.")
