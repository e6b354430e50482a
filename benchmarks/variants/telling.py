"""A ratio of two variants' costs, its uncertainty, and a verdict."""

from collections.abc import Sequence
from itertools import combinations_with_replacement
from math import sqrt
from statistics import median
from typing import NamedTuple

_DEVIATIONS = 1.96
"""Of the standard normal distribution: 95 of 100 lie within."""


class Ratio(NamedTuple):
    """The middle of ratios, and the interval that holds the true one in 95 of 100 runs."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.middle:.3f} ({self.low:.3f} to {self.high:.3f})"


def ratio(costs: Sequence[float], to: Sequence[float]) -> Ratio:
    """How much dearer the costs are than those of the same turns, by Hodges and Lehmann, with Wilcoxon's interval.

    It assumes of the noise only that it raises a ratio as often and as far as it lowers one."""
    ratios = [one / other for one, other in zip(costs, to, strict=True)]
    count = len(ratios)
    middles = sorted((one + other) / 2 for one, other in combinations_with_replacement(ratios, 2))
    spread = _DEVIATIONS * sqrt(count * (count + 1) * (2 * count + 1) / 24)
    outside = max(int(len(middles) / 2 - spread), 0)
    return Ratio(median(middles), middles[outside], middles[len(middles) - 1 - outside])


def verdict(found: Ratio, noise: Ratio, aim: float) -> str:
    """Whether the variant costs at most `aim` times as much. `noise` is the ratio of a variant to itself.

    Nothing can be told where the noise's interval is wider than what is promised or misses 1 by more than half of
    that, nor where the aim lies inside the variant's interval."""
    promised = aim - 1
    if noise.high - noise.low > promised or not 1 - promised / 2 <= noise.middle <= 1 + promised / 2:
        return "cannot tell"
    if found.high <= aim:
        return "met"
    return "missed" if found.low > aim else "cannot tell"
