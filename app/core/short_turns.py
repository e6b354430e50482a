"""Leaves the interpreter to other threads while one computes for long."""

import asyncio
import sys
from threading import Lock

SHORT_TURN = 0.0001
"""Seconds for which a thread keeps the interpreter from others while one of them computes, or while callers ask
together. A read asks for the interpreter some forty times: beside a thread that computes without a pause, it would wait
20 ms in turns of the usual 0.5 ms. They cost up to a tenth of what threads and loop can do together."""

LASTING = 0.1
"""Seconds for which turns stay short after there was a reason for it."""


class ShortTurns:
    """Shortens the turns of all threads of the process during the block. Blocks may overlap."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._blocks = 0
        self._usual = 0.0

    def __enter__(self) -> None:
        with self._lock:
            if not self._blocks:
                self._usual = sys.getswitchinterval()
                sys.setswitchinterval(min(SHORT_TURN, self._usual))
            self._blocks += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._blocks -= 1
            if not self._blocks:
                sys.setswitchinterval(self._usual)


class Spell:
    """A time of short turns, which each call of `prolong` begins or makes last on. One loop uses it."""

    def __init__(self, turns: ShortTurns, seconds: float = LASTING) -> None:
        self._turns = turns
        self._seconds = seconds
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def prolong(self) -> None:
        """Have turns be short from now on, for a while."""
        loop = asyncio.get_running_loop()
        self._until = loop.time() + self._seconds
        if self._timer is None:
            self._turns.__enter__()
            self._timer = loop.call_at(self._until, self._look)

    def end(self) -> None:
        """Have turns be as before."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._turns.__exit__()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() < self._until:
            self._timer = loop.call_at(self._until, self._look)
        else:
            self.end()


short_turns = ShortTurns()
"""The instance of this process."""
