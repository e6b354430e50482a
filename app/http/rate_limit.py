"""The limit of requests a minute for each API key."""

from app.budgets import Budget, Store
from app.core.actor import Actor


class Limiter:
    """Counts requests; `per_minute` 0 counts nothing."""

    def __init__(self, per_minute: int, store: Store | None = None) -> None:
        self._budget = Budget("requests", per_minute, f"This key may make {per_minute} requests a minute.", store)
        self.counts = self._budget.counts
        """Whether there is anything to count."""

    async def take(self, actor: Actor) -> None:
        """Count one more request of the actor's key. Raises RateLimited when that is one too many."""
        await self._budget.take(f"user {actor.user_id}" if actor.key_id is None else f"key {actor.key_id}")
