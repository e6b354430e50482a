"""What an innocent caller measures, and the verdict on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

TOLERATED = 0.05
"""Seconds that an innocent caller's p99 may always take."""

TOLERATED_RATIO = 3.0
"""How many times as long as without the attacker it may take, where that is more."""

KINDS = ("read", "write", "delivery")

NOT_FOUND = "200 NOT_FOUND"
"""How a write fails that changes what is no longer there."""

_NONE: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of one kind of work. `failures` counts what was refused, broke off or never came, by what it came to."""

    count: int
    median: float
    p99: float
    worst: float
    failures: Mapping[str, int]

    @classmethod
    def of(cls, waits: Sequence[float], failures: Mapping[str, int] = _NONE) -> "Times":
        failures = {name: count for name, count in failures.items() if count}
        ordered = sorted(waits)
        if not ordered:
            return cls(0, 0.0, 0.0, 0.0, failures)
        count = len(ordered)
        return cls(count, ordered[count // 2], ordered[min(int(count * 0.99), count - 1)], ordered[-1], failures)

    @property
    def failed(self) -> int:
        """How many have failed."""
        return sum(self.failures.values())


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
        failures = {**self.delivery.failures, "the socket was closed": 1}
        return replace(self, delivery=replace(self.delivery, failures=failures))


def allowed(alone: Times, canary: Times) -> float:
    """Seconds that a p99 beside an attacker may take. What the machine adds, the canary tells, is no fault."""
    return max(TOLERATED, TOLERATED_RATIO * alone.p99) + canary.p99


def failures_of(measures: Measures, kind: str, when: str) -> list[str]:
    """What of one kind of work was not done, so that its times are those of refusals, or of nothing."""
    times: Times = getattr(measures, kind)
    if not times.count and not times.failed:
        return [f"{kind}: nothing was measured {when}"]
    if not times.failed:
        return []
    why = ", ".join(f"{count} x {name}" for name, count in times.failures.items())
    gone = "; its own interaction is gone" if kind == "write" and NOT_FOUND in times.failures else ""
    return [f"{kind}: {times.failed} of an innocent caller failed {when}: {why}{gone}"]


def late_between(alone: Measures, beside: Measures) -> list[str]:
    """Which times beside an attacker are longer than they may be."""
    late = []
    for kind in KINDS:
        before, after = getattr(alone, kind), getattr(beside, kind)
        limit = allowed(before, beside.canary)
        if after.p99 > limit:
            late.append(
                f"{kind} p99 {after.p99 * 1_000:,.0f} ms, worst {after.worst * 1_000:,.0f} ms, of an innocent caller; "
                f"{before.p99 * 1_000:,.0f} ms without the attacker, {limit * 1_000:,.0f} ms are allowed"
            )
    return late


def failures_between(alone: Measures, beside: Measures) -> list[str]:
    """What failed beside an attacker or without it.

    An innocent caller that is refused without the attacker measures nothing, beside it or alone."""
    return [
        fault
        for kind in KINDS
        for measures, when in ((alone, "without the attacker"), (beside, "beside the attacker"))
        for fault in failures_of(measures, kind, when)
    ]
