"""One share of a minute for each caller."""

from collections.abc import Callable, Hashable
from math import ceil
from time import monotonic

from app.budgets.store import Store
from app.budgets.window import Usage, Window
from app.core.errors import RateLimited


class Budget:
    """What each caller may use of something within a minute: `share`, of which 0 means no limit.

    With a store, all processes that use it count together. The process also counts by itself what it has let through,
    and goes by that while the store does not answer. `says` is the sentence that a refused caller reads."""

    def __init__(
        self, name: str, share: float, says: str, store: Store | None = None, time: Callable[[], float] = monotonic
    ) -> None:
        self.share = share
        self.counts = share > 0
        """Whether there is anything to count."""
        self.window = Window(time) if store is None else Window(time, store.minute)
        self._name = name
        self._says = says
        self._store = store

    async def take(self, who: Hashable, amount: float = 1) -> None:
        """Count the amount. Raises RateLimited, and counts nothing, when the caller does not have that much left."""
        if not self.counts:
            return
        if self._store is not None:
            taken = await self._store.take(self._key(who), amount, self.share)
            if taken:
                self.window.add(who, amount)
                return
            if taken is not None:
                raise self._refusal(await self._store.usage(self._key(who)) or self.window.usage(who), amount)
        if not self.window.take(who, amount, self.share):
            raise self._refusal(self.window.usage(who), amount)

    async def require(self, who: Hashable) -> None:
        """Raise RateLimited when the caller has nothing left."""
        if self.counts:
            self._require(await self.usage(who))

    def require_here(self, who: Hashable) -> None:
        """Raise RateLimited when the caller has used up its share in this process alone."""
        if self.counts:
            self._require(self.window.usage(who))

    def add(self, who: Hashable, amount: float) -> None:
        """Count what was used, also beyond the share. Other processes know of it a moment later."""
        if not self.counts:
            return
        self.window.add(who, amount)
        if self._store is not None:
            self._store.add(self._key(who), amount)

    async def usage(self, who: Hashable) -> Usage:
        """What the caller has used, as far as is known."""
        found = None if self._store is None else await self._store.usage(self._key(who))
        return self.window.usage(who) if found is None else found

    def _require(self, usage: Usage) -> None:
        if usage.used >= self.share:
            raise self._refusal(usage, 1)

    def _refusal(self, usage: Usage, amount: float) -> RateLimited:
        seconds = max(ceil(usage.room_in(amount, self.share)), 1)
        return RateLimited(f"{self._says} Try again in {seconds} s.", retry_after=seconds)

    def _key(self, who: Hashable) -> str:
        return f"{self._name}:{who}"
