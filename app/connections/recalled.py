"""Values of other systems that are read again only after a while."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from app.core.recent import Recent
from app.interactions.remote import Reach

V = TypeVar("V")

MOST = 1_000
"""How many values of one connection are kept."""


class Recalled(Generic[V]):
    """Values of each connection by their keys. A value older than `lasts` is read again."""

    def __init__(self, lasts: timedelta) -> None:
        self._lasts = lasts
        self._of: WeakKeyDictionary[Reach, Recent[tuple[V, datetime]]] = WeakKeyDictionary()

    async def get(self, reach: Reach, key: str, read: Callable[[], Awaitable[V]]) -> V:
        """The value of the key, or what `read` returns when there is none, or it is too old."""
        kept = self._of.setdefault(reach, Recent(MOST))
        found = kept.get(key)
        if found is None or reach.now - found[1] >= self._lasts:
            found = await read(), reach.now
            kept.put(key, found)
        return found[0]
