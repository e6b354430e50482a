"""Counts of what each caller holds open, with a limit each and a limit in all."""

from collections import Counter

from app.core.fairness import Caller


class Place:
    """One of a caller's places, held until `leave`."""

    __slots__ = ("_caller", "_places")

    def __init__(self, places: "Places", caller: Caller) -> None:
        self._places: Places | None = places
        self._caller = caller

    def __enter__(self) -> None:
        """Hold it until the end of the block."""

    def __exit__(self, *_error: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Give the place up; a second time does nothing."""
        places, self._places = self._places, None
        if places is not None:
            places._leave(self._caller)


class Places:
    """At most `each` for every caller and `in_all` together. Nothing is kept of a caller that holds none."""

    def __init__(self, each: int, in_all: int | None = None) -> None:
        self.each = each
        self.taken = 0
        self._in_all = in_all
        self._of: Counter[Caller] = Counter()

    def take(self, caller: Caller) -> Place | None:
        """A place of the caller; None when there is none left."""
        if self._of[caller] >= self.each or (self._in_all is not None and self.taken >= self._in_all):
            if not self._of[caller]:
                del self._of[caller]
            return None
        self._of[caller] += 1
        self.taken += 1
        return Place(self, caller)

    def of(self, caller: Caller) -> int:
        """How many places the caller holds."""
        return self._of.get(caller, 0)

    def _leave(self, caller: Caller) -> None:
        self.taken -= 1
        self._of[caller] -= 1
        if not self._of[caller]:
            del self._of[caller]
