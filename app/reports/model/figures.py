"""Figures that can be added up: counts, sums and histograms of durations."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat, zip_longest
from math import ceil, floor, log
from typing import Any, Self

_GROWTH = 1.1
"""The longest duration of a bucket, as a multiple of its shortest."""

_LOG_GROWTH = log(_GROWTH)

ACCURACY = 0.05
"""The largest relative error of a percentile, for durations of a second or more."""


def _bucket(seconds: float) -> int:
    """0 for less than a second; otherwise buckets that each grow by a tenth."""
    return 0 if seconds < 1 else 1 + floor(log(seconds) / _LOG_GROWTH)


def _middle(bucket: int) -> float:
    """The duration that stands for all durations of a bucket, so that none differs by more than ACCURACY."""
    return 0.0 if bucket == 0 else float(2 * _GROWTH**bucket / (1 + _GROWTH))


@dataclass(slots=True)
class Durations:
    """The number of durations, their sum in seconds, and the number in each bucket up to the last that has any."""

    count: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=list)

    def add(self, seconds: float, times: int = 1) -> None:
        """Count a duration. With -1, take back one that was counted."""
        self.count += times
        self.seconds += times * seconds
        bucket = _bucket(seconds)
        self._reach(bucket)
        self.buckets[bucket] += times

    def add_all(self, other: "Durations") -> None:
        """Add everything that the other has counted."""
        self.count += other.count
        self.seconds += other.seconds
        self.buckets = [mine + its for mine, its in zip_longest(self.buckets, other.buckets, fillvalue=0)]

    @property
    def average(self) -> float | None:
        """The mean in seconds; None without durations."""
        return None if self.count <= 0 else self.seconds / self.count

    def percentiles(self, shares: Sequence[float]) -> Sequence[float | None]:
        """For each share, in ascending order, the duration that this share of all durations does not exceed: in
        seconds, within ACCURACY. None without durations."""
        if self.count <= 0:
            return [None] * len(shares)
        ranks = [ceil(share * self.count) for share in shares]
        found: list[float | None] = []
        passed = 0
        for bucket, count in enumerate(self.buckets):
            passed += count
            while len(found) < len(ranks) and passed >= ranks[len(found)]:
                found.append(_middle(bucket))
        return found

    def stored(self) -> list[Any]:
        """As JSON. The buckets are pairs in one list."""
        pairs = (each for pair in enumerate(self.buckets) if pair[1] for each in pair)
        return [self.count, round(self.seconds, 3), *pairs]

    def add_stored(self, stored: list[Any], times: int = 1) -> None:
        """Add what `stored` has returned. With -1, take it away."""
        self.count += times * stored[0]
        self.seconds += times * stored[1]
        numbers = stored[2::2]
        if numbers:
            self._reach(numbers[-1])
        buckets = self.buckets
        # Most of the time of a report is spent here.
        for bucket, many in zip(numbers, stored[3::2], strict=True):
            buckets[bucket] += times * many

    def _reach(self, bucket: int) -> None:
        """Have a bucket of this number."""
        self.buckets.extend(repeat(0, bucket + 1 - len(self.buckets)))


DURATIONS = ("first", "next", "bot", "closed", "resolution")
"""The measured durations: a user's first answer and later answers, a bot's answers, waits that closing ended, and the
time to resolution."""

COUNTS = ("targeted", "within", "missed", "reopened")
"""The counts: users' answers with a target, those within the target, missed customers, and reopenings."""


@dataclass(slots=True)
class Figures:
    """Everything that a report says about one group."""

    durations: dict[str, Durations] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def measure(self, name: str, seconds: float, times: int = 1) -> None:
        """Add a duration of DURATIONS."""
        self.durations.setdefault(name, Durations()).add(seconds, times)

    def count(self, name: str, times: int = 1) -> None:
        """Add one of COUNTS."""
        self.counts[name] = self.counts.get(name, 0) + times

    def __bool__(self) -> bool:
        """Whether anything was counted."""
        return any(self.counts.values()) or any(each.count for each in self.durations.values())

    def add_stored(self, stored: Mapping[str, Any], times: int = 1) -> None:
        """Add what `stored` has returned. With -1, take it away."""
        durations = self.durations
        for name, value in stored.items():
            if isinstance(value, list):
                known = durations.get(name)
                if known is None:
                    known = durations[name] = Durations()
                known.add_stored(value, times)
            else:
                self.count(name, times * value)

    def add_all(self, other: "Figures") -> None:
        """Add everything that the other has counted."""
        for name, durations in other.durations.items():
            self.durations.setdefault(name, Durations()).add_all(durations)
        for name, count in other.counts.items():
            self.count(name, count)

    def stored(self) -> dict[str, Any]:
        """As JSON, without zeros."""
        measured = {name: each.stored() for name, each in self.durations.items() if each.count}
        return measured | {name: count for name, count in self.counts.items() if count}

    @classmethod
    def of(cls, many: Iterable["Figures"]) -> Self:
        """The sum."""
        total = cls()
        for each in many:
            total.add_all(each)
        return total

    def measured(self, *names: str) -> Durations:
        """The durations of these names together."""
        total = Durations()
        for name in names:
            if name in self.durations:
                total.add_all(self.durations[name])
        return total
