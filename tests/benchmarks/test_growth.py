"""A small database and a large one are asked in turn, as often and as early, and by whom."""

from collections.abc import Sequence
from typing import cast

import pytest

from benchmarks.__main__ import growth
from benchmarks.client import BenchmarkError
from benchmarks.growth import comparing
from benchmarks.variants.blocks import Asking
from benchmarks.variants.meters import Meter

pytestmark = pytest.mark.anyio


class Costing:
    """A caller whose requests cost so much; it fits so many into a block."""

    def __init__(self, cost: float, fits: int) -> None:
        self.asked: list[int] = []
        self._cost = cost
        self._fits = fits

    async def fitting(self, _seconds: float) -> int:
        return self._fits

    async def cost(self, count: int, _rest: float, _meter: Meter) -> float:
        self.asked.append(count)
        return self._cost


async def test_the_small_one_has_two_places_in_each_turn_and_blocks_are_alike() -> None:
    small, large = Costing(1.0, fits=30), Costing(1.5, fits=20)
    callers = cast("Sequence[Asking]", (small, large))
    _, costs = await comparing._compared(callers, [[], []], seconds=0.0)
    assert costs == [[2.0], [3.0], [2.0]]  # there and back
    assert (small.asked, large.asked) == ([20] * 4, [20] * 2)


def test_two_sizes_are_wanted() -> None:
    for sizes in ("10k", "1k,10k,100k"):
        with pytest.raises(BenchmarkError, match="Two sizes are compared"):
            growth(sizes=sizes)
