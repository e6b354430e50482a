"""What a thread that computes for long leaves to others: the interpreter, and the cores."""

import os
import sys
from threading import Lock, get_native_id

SHORT_TURN = 0.0001
"""Seconds for which a thread keeps the interpreter from others while one of them computes. A read asks for the
interpreter some forty times: beside a thread that computes without a pause, it would wait 20 ms in turns of the usual
0.5 ms."""


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


short_turns = ShortTurns()
"""The instance of this process."""

_NICEST = 19


def yield_cores() -> None:
    """Let others have the cores before this thread, where a thread has a priority of its own.

    Long reads keep the cores busy, and the event loop waits for one each time that it gets the interpreter back. With
    two cores a short read beside deep pages took 24 ms (median) and 200 ms (99th percentile); with this, 7 and 70.
    Not for a thread that computes in Python alone: where it has to wait for a core, it keeps the interpreter."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), _NICEST)
