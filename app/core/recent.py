"""A bounded cache that keeps entries in use (segmented LRU)."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")

_PROTECTED = 0.8  # of the limit


class Recent(Generic[V]):
    """A segmented LRU cache: the weights of its entries add up to at most `limit`.

    A new entry is on probation until it is found again; then it is protected. Entries on probation are evicted first,
    so a flood of entries that nobody asks for again never evicts those in use. Protected entries have four fifths of
    the limit. Beyond that, the least recently used of them goes back to probation. Only one thread at a time may use
    it."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.weight = 0
        self._protected_weight = 0
        self._probation: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._protected: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._probation) + len(self._protected)

    def get(self, key: Hashable) -> V | None:
        """The entry, which then counts as used; None when there is none."""
        found = self._protected.get(key)
        if found is not None:
            self._protected.move_to_end(key)
            return found[0]
        found = self._probation.pop(key, None)
        if found is None:
            return None
        self._protected[key] = found
        self._protected_weight += found[1]
        while self._protected_weight > self.limit * _PROTECTED and len(self._protected) > 1:
            oldest, entry = self._protected.popitem(last=False)
            self._protected_weight -= entry[1]
            self._probation[oldest] = entry
        return found[0]

    def put(self, key: Hashable, value: V, weight: int = 1) -> None:
        """Store the entry, replacing one with the same key."""
        known = self._protected.pop(key, None)
        if known is not None:
            self._protected_weight -= known[1]
        else:
            known = self._probation.pop(key, None)
        if known is not None:
            self.weight -= known[1]
        self._probation[key] = (value, weight)
        self.weight += weight
        while self.weight > self.limit and len(self) > 1:
            self._evict()

    def _evict(self) -> None:
        # The newest entry stays, even if it alone is heavier than the limit.
        if len(self._probation) > 1:
            _, (_, weight) = self._probation.popitem(last=False)
        else:
            _, (_, weight) = self._protected.popitem(last=False)
            self._protected_weight -= weight
        self.weight -= weight
