"""How variants take turns and are switched, what is told of their costs, and the clocks that these are read from."""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from itertools import count, islice
from mmap import PAGESIZE, mmap
from pathlib import Path
from random import Random

import psutil
import pytest

from app import asgi
from benchmarks.processes import cpu_seconds
from benchmarks.variants.meters import PAGE_FAULTS, counted, metering
from benchmarks.variants.served import Switches
from benchmarks.variants.telling import Ratio, ratio, verdict
from benchmarks.variants.turns import orders, take_turns
from tests.destinations.receiving import receiving
from tests.destinations.running import running


def turns(number: int, of: int) -> Iterator[list[int]]:
    return islice(orders(number, Random(7)), of)


def test_variants_come_as_early_as_late_in_each_turn_and_each_first() -> None:
    for number in range(1, 6):
        given = list(turns(number, 100))
        assert {order[0] for order in given} == set(range(number))
        for order in given:
            places = [[place for place, each in enumerate(order) if each == variant] for variant in range(number)]
            assert [(len(each), sum(each)) for each in places] == [(2, 2 * number - 1)] * number


def test_variants_alike_cost_the_same_while_the_machine_slows_down() -> None:
    slower = count(1_000)

    async def measure(variant: int) -> float:
        return float(next(slower)) * (2 if variant == 3 else 1)

    found = asyncio.run(take_turns(4, turns(4, 5), measure))
    assert [len(each) for each in found] == [5] * 4
    assert [ratio(each, found[0]).middle for each in found] == [1.0, 1.0, 1.0, 2.0]


def test_interval_of_a_ratio_holds_the_true_one_in_ninety_five_of_a_hundred_runs() -> None:
    chance = Random(7)

    def cost() -> float:
        # As on a busy machine: most a little more than it would be, some far more, and none less.
        return 1 + chance.expovariate(20) * chance.choice([1, 1, 1, 9])

    held = 0
    for _ in range(200):
        found = ratio([1.03 * cost() for _ in range(40)], [cost() for _ in range(40)])
        assert found.low <= found.middle <= found.high
        held += found.low <= 1.03 <= found.high
    assert 0.9 <= held / 200 <= 0.99


def test_verdict_needs_less_noise_than_is_promised_and_an_interval_beside_the_aim() -> None:
    quiet, noisy = Ratio(1.0, 0.995, 1.004), Ratio(1.0, 0.98, 1.02)
    assert verdict(Ratio(1.01, 1.0, 1.02), quiet, 1.02) == "met"
    assert verdict(Ratio(1.03, 1.021, 1.04), quiet, 1.02) == "missed"
    assert verdict(Ratio(1.02, 1.01, 1.03), quiet, 1.02) == "cannot tell"
    assert verdict(Ratio(1.01, 1.0, 1.02), noisy, 1.02) == "cannot tell"
    assert verdict(Ratio(1.09, 1.08, 1.1), noisy, 1.02) == "cannot tell"
    assert verdict(Ratio(1.01, 1.0, 1.02), noisy, 1.05) == "met"
    # It differs from itself.
    assert verdict(Ratio(1.01, 1.0, 1.02), Ratio(1.015, 1.012, 1.018), 1.02) == "cannot tell"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is read from ticks")
def test_clock_of_a_process_is_what_it_has_used() -> None:
    before = time.process_time()
    found = cpu_seconds([psutil.Process()])
    assert before <= found <= time.process_time()


def test_counter_of_a_process_counts_what_it_does_until_the_block_ends() -> None:
    pages = 64
    try:
        with counted([psutil.Process()], PAGE_FAULTS) as read, mmap(-1, pages * PAGESIZE) as memory:
            before = read()
            for page in range(pages):
                memory[page * PAGESIZE] = 1
            found = read() - before
            counters = open_counters()
    except OSError:
        pytest.skip("this system counts nothing for us")
    assert found >= pages
    assert counters > 0
    assert open_counters() == 0


def open_counters() -> int:
    links = [Path(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd")]
    return sum("perf_event" in os.readlink(link) for link in links if link.is_symlink())


def test_meter_says_what_it_reads() -> None:
    with metering([psutil.Process()]) as meter:
        assert meter.unit in ("us of CPU", "thousand instructions")
        before = meter.read()
        sum(range(1_000))
        assert meter.read() > before


@pytest.mark.anyio
async def test_destinations_are_switched_without_a_restart(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    switches = Switches()
    monkeypatch.setattr(asgi, "dispatching", switches.dispatching)
    document = 'subscription { interactionChanged(filter: { labels: ["none"] }) { cursor } }'
    async with receiving() as receiver, running(database_url) as app:
        await app.destination(receiver.url, document)
        subscriptions = app.services.subscriptions
        for wanted in (1, 3, 0, 3):
            await switches.deliver_to(wanted)
            assert subscriptions.running == wanted
        for heard in (1, 3, 1):
            switches.hear(heard)
            (index,) = subscriptions._deliveries._matchers._indexes.values()
            assert len(index._by_name["labels"]) == heard
