"""Whether callers are there beside one another."""

from collections.abc import Callable
from time import monotonic

from app.core.fairness import SERVER, Caller

TOGETHER = 0.1
"""Seconds for which a caller counts as there after it last asked for something."""


class Company:
    """Whether more than one caller is there."""

    __slots__ = ("_met", "_time", "_until", "latest")

    def __init__(self, time: Callable[[], float] = monotonic, met: Callable[[], None] | None = None) -> None:
        self.latest: Caller | None = None
        """Who asked last; nothing has to be noted when the same one asks again."""
        self._until = 0.0
        self._time = time
        self._met = met  # called whenever a caller asks after another

    @property
    def is_there(self) -> bool:
        """Whether several callers have asked in turn lately."""
        return self._time() < self._until

    def note(self, caller: Caller) -> None:
        """Note that the caller has asked. The process itself is nobody's company."""
        if caller is SERVER:
            return
        if self.latest is not None and caller != self.latest:
            self._until = self._time() + TOGETHER
            if self._met is not None:
                self._met()
        self.latest = caller
