"""Variants in turn, in orders that favour none."""

from collections.abc import Awaitable, Callable, Iterator
from random import Random
from time import monotonic


def orders(count: int, random: Random) -> Iterator[list[int]]:
    """The order of each turn, without end: all variants there and back, shuffled anew each time.

    So within a turn each comes as early as it comes late: what changes steadily meanwhile is the same for all."""
    while True:
        there = random.sample(range(count), count)
        yield [*there, *reversed(there)]


def within(seconds: float, turns: Iterator[list[int]]) -> Iterator[list[int]]:
    """Those that begin in this time, and at least one."""
    until = monotonic() + seconds
    for turn in turns:
        yield turn
        if monotonic() >= until:
            return


async def take_turns(
    count: int, turns: Iterator[list[int]], measure: Callable[[int], Awaitable[float]]
) -> list[list[float]]:
    """What `measure` says of each variant in each turn, both times together: a list of turns for each variant."""
    found: list[list[float]] = [[] for _ in range(count)]
    for order in turns:
        costs = [0.0] * count
        for place in order:
            costs[place] += await measure(place)
        for place, cost in enumerate(costs):
            found[place].append(cost)
    return found
