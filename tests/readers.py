"""Readers of SQLite that begin when they are needed; the one that was free last reads next.

A server's threads read in turn, so that each opens a connection, reads the structure of the database and prepares every
statement anew. A server lives long. A test asks for a few things, one after the other: one thread reads them all."""

from collections import deque
from threading import Lock, Thread
from typing import Any, Generic, TypeVar

import pytest

T = TypeVar("T")


class _Place(Generic[T]):
    """A thread that waits, and what it is given."""

    def __init__(self) -> None:
        self.item: T | None = None
        self.waits = Lock()
        self.waits.acquire()


class WarmQueue(Generic[T]):
    """What `SimpleQueue` does for readers; `later` are the threads that have not begun."""

    def __init__(self) -> None:
        self.later: deque[LateThread] = deque()
        self._lock = Lock()
        self._items: deque[T] = deque()
        self._free: list[_Place[T]] = []

    def put(self, item: T) -> None:
        """Give it to the thread that was free last, to one that has not begun, or to the next that is free."""
        begins = None
        with self._lock:
            if self._free:
                place = self._free.pop()
                place.item = item
                place.waits.release()
                return
            if self.later:
                begins = self.later.popleft()
                if item is None:
                    return  # the thread ends before it begins
            self._items.append(item)
        if begins is not None:
            begins.begin()

    def get(self) -> T | None:
        """What the calling thread is given."""
        with self._lock:
            if self._items:
                return self._items.popleft()
            place = _Place[T]()
            self._free.append(place)
        place.waits.acquire()
        return place.item

    def empty(self) -> bool:
        """Whether nothing is left over."""
        return not self._items


class LateThread(Thread):
    """A thread of a `WarmQueue`, its first argument, which says when it begins."""

    def __init__(self, *, target: Any, args: tuple[Any, ...], name: str, daemon: bool) -> None:
        super().__init__(target=target, args=args, name=name, daemon=daemon)
        self._given: WarmQueue[Any] = args[0]

    def start(self) -> None:
        """Wait for something to do."""
        self._given.later.append(self)

    def begin(self) -> None:
        """Begin in fact."""
        super().start()

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end, if it has begun."""
        if self.ident is not None:
            super().join(timeout)


def read_warm(patch: pytest.MonkeyPatch) -> None:
    """Let all readers of SQLite begin so."""
    patch.setattr("app.storage.sqlite_plans.SimpleQueue", WarmQueue)
    patch.setattr("app.storage.sqlite_plans.Thread", LateThread)
