"""What an innocent caller measures, and the verdict on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

TOLERATED = 0.05
"""Seconds that an innocent caller's p99 may always take."""

TOLERATED_RATIO = 3.0
"""How many times as long as without the attacker it may take, where that is more."""

KINDS = ("read", "write", "delivery")


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of one kind of work. `failed` counts what was refused, broke off or never came."""

    count: int
    median: float
    p99: float
    worst: float
    failed: int

    @classmethod
    def of(cls, waits: Sequence[float], failed: int) -> "Times":
        ordered = sorted(waits)
        if not ordered:
            return cls(0, 0.0, 0.0, 0.0, failed)
        count = len(ordered)
        return cls(count, ordered[count // 2], ordered[min(int(count * 0.99), count - 1)], ordered[-1], failed)


@dataclass(frozen=True, slots=True)
class Measures:
    """The times of an innocent caller, and how late a bare sleep of its process ended."""

    read: Times
    write: Times
    delivery: Times
    canary: Times

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> "Measures":
        return cls(**{name: Times(**times) for name, times in given.items()})

    def without_listener(self) -> "Measures":
        """The same when the listener's socket was closed by the server: nothing was delivered."""
        return replace(self, delivery=replace(self.delivery, failed=max(self.delivery.failed, 1)))


def allowed(alone: Times, canary: Times) -> float:
    """Seconds that a p99 beside an attacker may take. What the machine adds, the canary tells, is no fault."""
    return max(TOLERATED, TOLERATED_RATIO * alone.p99) + canary.p99


def faults_between(alone: Measures, beside: Measures) -> list[str]:
    """What is wrong with the times beside an attacker."""
    faults = []
    for kind in KINDS:
        before, after = getattr(alone, kind), getattr(beside, kind)
        limit = allowed(before, beside.canary)
        if after.p99 > limit:
            faults.append(
                f"{kind} p99 {after.p99 * 1_000:,.0f} ms, worst {after.worst * 1_000:,.0f} ms, of an innocent caller; "
                f"{before.p99 * 1_000:,.0f} ms without the attacker, {limit * 1_000:,.0f} ms are allowed"
            )
        if after.failed > before.failed:
            faults.append(f"{kind}: {after.failed} of {after.count + after.failed} of an innocent caller failed")
    return faults
