"""Counts of open subscriptions, limited for each caller and in all."""

from collections import Counter

from app.core.fairness import Caller


class Place:
    """A counted slot of a caller, held until `leave`."""

    __slots__ = ("_caller", "_places")

    def __init__(self, places: "Places", caller: Caller) -> None:
        self._places: Places | None = places
        self._caller = caller

    def __enter__(self) -> None:
        """Hold the slot until the end of the block."""

    def __exit__(self, *_error: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Release the slot; calling it again does nothing."""
        places, self._places = self._places, None
        if places is not None:
            places._leave(self._caller)


class Places:
    """Slots: at most `each` for a caller and `in_all` together. Callers without slots take no memory."""

    def __init__(self, each: int, in_all: int | None = None) -> None:
        self.each = each
        self.taken = 0
        self._in_all = in_all
        self._of: Counter[Caller] = Counter()

    def take(self, caller: Caller) -> Place | None:
        """A slot of the caller; None when there is none left."""
        if self._of[caller] >= self.each or (self._in_all is not None and self.taken >= self._in_all):
            if not self._of[caller]:
                del self._of[caller]
            return None
        self._of[caller] += 1
        self.taken += 1
        return Place(self, caller)

    def of(self, caller: Caller) -> int:
        """The number of slots that the caller holds."""
        return self._of.get(caller, 0)

    def _leave(self, caller: Caller) -> None:
        self.taken -= 1
        self._of[caller] -= 1
        if not self._of[caller]:
            del self._of[caller]
