"""Leaves the interpreter to other threads while one computes for long."""

import sys
from threading import Lock

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
