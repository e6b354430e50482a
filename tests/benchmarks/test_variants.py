"""How variants take turns, what is made of their costs, and the clock that these are read from."""

import sys
import time
from itertools import count

import psutil
import pytest

from benchmarks.processes import cpu_seconds
from benchmarks.variants.turns import Cost, orders, ratio, take_turns


def test_variants_come_as_early_as_late_in_each_turn() -> None:
    for number in range(1, 6):
        given = list(orders(number, number))
        assert {order[0] for order in given} == set(range(number))
        for order in given:
            places = [[place for place, each in enumerate(order) if each == variant] for variant in range(number)]
            assert [(len(each), sum(each)) for each in places] == [(2, 2 * number - 1)] * number


def test_variants_alike_cost_the_same_while_the_machine_slows_down() -> None:
    slower = count(1_000)

    def measure(variant: int) -> Cost:
        dear = float(next(slower)) * (2 if variant == 3 else 1)
        return Cost(dear, 0.0, 2 * dear)

    found = take_turns(4, 5, measure)
    assert [len(each) for each in found] == [5] * 4
    assert [ratio(each, found[0], lambda cost: cost.work) for each in found] == [1.0, 1.0, 1.0, 2.0]
    assert [ratio(each, found[0], lambda cost: cost.time) for each in found] == [1.0, 1.0, 1.0, 2.0]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is read from ticks")
def test_clock_of_a_process_is_what_it_has_used() -> None:
    before = time.process_time()
    found = cpu_seconds([psutil.Process()])
    assert before <= found <= time.process_time()
