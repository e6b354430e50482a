"""Costs of operations: reported on request, and counted per user and minute."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from app.budgets import Budget, Store
from app.core.clock import Clock, rfc3339
from app.core.fairness import Caller
from app.execution.documents import Operation
from app.execution.guard import Guard
from app.selection.counting import Counted


class Left(NamedTuple):
    """What is left of a user's share, and when all of it is there again unless more is asked for."""

    remaining: int
    reset_at: str


class Cost(Counted):
    """What one operation may read, as its limit counts it, and what reading its answer took."""

    __slots__ = ("_left", "_limit", "_requested")

    def __init__(self, requested: int, limit: int, left: Left | None = None) -> None:
        super().__init__()
        self._requested = requested
        self._limit = limit
        self._left = left

    def before(self) -> Mapping[str, int]:
        """What is known before anything is read."""
        return {"requested": self._requested, "limit": self._limit}

    def after(self) -> Mapping[str, object]:
        """The same with what was read, and with what is left of the share."""
        left = {} if self._left is None else {"remaining": self._left.remaining, "resetAt": self._left.reset_at}
        return {**self.before(), "statements": self.statements, "rows": self.rows, **left}


class Costs:
    """Measures operations, and counts them against the share of a minute that each user has."""

    def __init__(self, guard: Guard, share: int, clock: Clock, store: Store | None) -> None:
        self.budget = Budget("cost", share, f"The requests of this user may cost {share:,} a minute.", store)
        self.counts = self.budget.counts
        """Whether `of` has anything to do for a request that does not ask."""
        self._guard = guard
        self._clock = clock

    async def of(
        self, operation: Operation, variables: Mapping[str, Any], caller: Caller, *, asked: bool, charged: bool = True
    ) -> Cost | None:
        """The cost of an operation that is about to run, for a request that has asked for it.

        Raises RateLimited when the caller's share does not have that much left."""
        charged = charged and self.counts
        if not asked and not charged:
            return None
        requested = self._guard.cost(operation.ast, operation.name, variables)
        if charged:
            await self.budget.take(caller, requested)
        if not asked:
            return None
        return Cost(requested, self._guard.limits.cost, await self._left(caller) if charged else None)

    async def _left(self, caller: Caller) -> Left:
        usage = await self.budget.usage(caller)
        ends_at = self._clock() + timedelta(seconds=usage.ends_in)
        return Left(max(int(self.budget.share) - usage.used, 0), rfc3339(ends_at))
