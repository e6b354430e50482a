"""How many requests a caller may make: a moving window of a minute for each API key, in this process."""

from math import ceil
from time import time

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from app.core.actor import Actor
from app.core.errors import RateLimited


class Limiter:
    """Counts requests; `per_minute` 0 counts nothing."""

    def __init__(self, per_minute: int) -> None:
        self._storage = MemoryStorage()
        self._windows = MovingWindowRateLimiter(self._storage)
        self._item = RateLimitItemPerMinute(per_minute) if per_minute else None
        self.counts = self._item is not None
        """Whether there is anything to count."""

    async def take(self, actor: Actor) -> None:
        """Count one more request of the actor's key. Raises RateLimited when that is one too many."""
        if self._item is None:
            return
        who = f"user {actor.user_id}" if actor.key_id is None else f"key {actor.key_id}"
        if await self._windows.hit(self._item, who):
            return
        stats = await self._windows.get_window_stats(self._item, who)
        seconds = max(ceil(stats.reset_time - time()), 1)
        raise RateLimited(
            f"This key may make {self._item.amount} requests a minute. Try again in {seconds} s.", retry_after=seconds
        )

    async def close(self) -> None:
        """Stop the clean-up that the storage may have begun."""
        if self._storage.timer is not None:
            self._storage.timer.cancel()
