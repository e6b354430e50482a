"""Variants in turn, in orders that favour none, and what each costs."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import psutil

from benchmarks.client import drive
from benchmarks.databases import with_children
from benchmarks.processes import Server, cpu_seconds

_WARM_UP = 0.2
"""Seconds before each turn that are not measured. Another server has just had the core and its caches, and for a tenth
of a second after another caller's request a server shares its time between both."""


@dataclass(frozen=True, slots=True)
class Variant:
    """The server, and the key that asks it."""

    name: str
    server: Server
    key: str


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds for one request: of the server's CPU, of the database's processes, and of time while the server is
    kept busy."""

    cpu: float
    database: float
    time: float

    @property
    def work(self) -> float:
        """All CPU that the request takes."""
        return self.cpu + self.database

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.cpu + other.cpu, self.database + other.database, self.time + other.time)


def orders(count: int, turns: int) -> Iterator[list[int]]:
    """The order of each turn: all variants there and back, beginning with another one each time.

    So within a turn each comes as early as it comes late: what changes steadily meanwhile is the same for all."""
    for turn in range(turns):
        there = [(turn + place) % count for place in range(count)]
        yield [*there, *reversed(there)]


def take_turns(count: int, turns: int, measure: Callable[[int], Cost]) -> list[list[Cost]]:
    """What `measure` says of each variant in each turn, both times together: a list of turns for each variant."""
    found: list[list[Cost]] = [[] for _ in range(count)]
    for order in orders(count, turns):
        costs: list[list[Cost]] = [[] for _ in range(count)]
        for place in order:
            costs[place].append(measure(place))
        for place, (first, second) in enumerate(costs):
            found[place].append(first + second)
    return found


def ratio(costs: Sequence[Cost], to: Sequence[Cost], of: Callable[[Cost], float]) -> float:
    """How much dearer the costs are: the median of the ratios of the same turns."""
    return median(of(one) / of(other) for one, other in zip(costs, to, strict=True))


def cost_of(
    server: Server, connections: Sequence[Sequence[bytes]], seconds: float, database: Sequence[psutil.Process]
) -> Cost:
    """What requests cost that keep the server busy for so long. `database` are PostgreSQL's main processes."""
    import uvloop

    processes = with_children(list(database))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(drive(server.port, connections, _WARM_UP))
        before, helped = server.cpu_seconds(), cpu_seconds(processes)
        tally = runner.run(drive(server.port, connections, seconds))
        used, helped = server.cpu_seconds() - before, cpu_seconds(processes) - helped
    count = len(tally.latencies)
    return Cost(*(each / count * 1_000_000 for each in (used, helped, seconds)))
