"""Runs the demo's service calls in order, each at its own time."""

import uuid
from collections import deque
from collections.abc import Callable, Generator, Sequence
from datetime import datetime, timedelta
from heapq import heapify, heappop, heapreplace
from random import Random
from typing import Concatenate, ParamSpec, TypeVar

from app.storage.event_log import append
from app.storage.work import Work

P = ParamSpec("P")
T = TypeVar("T")

Story = Generator[datetime, None, None]
"""Yields when it goes on; what it does between two yields happens at the earlier of them."""


class DemoIds:
    """Keys that are the same each time; `next_are` are handed out before them."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)
        self._next: deque[str] = deque()

    def next_are(self, *keys: str) -> None:
        """Hand out these first: the keys of a contract's page."""
        self._next.extend(keys)

    def uuid(self) -> str:
        return self._next.popleft() if self._next else str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def key(self, prefix: str) -> str:
        return f"{prefix}_{self._random.getrandbits(64):016x}"


class Stage:
    """Plays stories within one unit, so that a database has all of them or none."""

    def __init__(self, work: Work, ids: DemoIds) -> None:
        self.end = work.now
        self.now = work.now
        self.ids = ids
        self._work = work
        # A user writes in Sessions here, whatever a deployment allows.
        self.settings = work.settings.model_copy(update={"allow_reply_without_attention": True})

    def ago(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> datetime:
        """So long before the end."""
        return self.end - timedelta(days=days, hours=hours, minutes=minutes)

    def do(self, f: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a service at the stage's time; its events have that time too."""
        work = Work(self._work.connection, self.now, self.ids, self.settings, self._work.kinds)
        result = f(work, *args, **kwargs)
        append(work.connection, work.events, self.now)
        return result

    def play(self, stories: Sequence[Story]) -> None:
        """Let all stories go on to their ends, whichever is due first first."""
        due = [(next(story), place, story) for place, story in enumerate(stories)]
        heapify(due)
        while due:
            self.now, place, story = due[0]
            following = next(story, None)
            if following is None:
                heappop(due)
            else:
                heapreplace(due, (max(following, self.now), place, story))
