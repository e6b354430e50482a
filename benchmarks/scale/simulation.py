"""A simulation of many processes, listeners and events, by what one process was measured to need."""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import NamedTuple

SEED = 7
CHANGES = 1_500
"""How many a simulation has, unless those of one second are more."""

WARM_UP = 0.2
"""Seconds at the start that are not looked at, while nothing waits yet."""


class Input(NamedTuple):
    """A number, with where it is from."""

    value: float
    unit: str
    what: str
    source: str


INPUTS = {
    "update": Input(776, "us", "a process, for an update", "performance.md, beside peers, PostgreSQL"),
    "commit": Input(250, "us", "PostgreSQL, for an update", "performance.md, beside peers: 0.2 to 0.25 ms"),
    "page": Input(891, "us", "a process, for a page of the queue", "performance.md, beside peers, PostgreSQL"),
    "page_read": Input(709, "us", "PostgreSQL, for a page of the queue", "performance.md, inbox of 50, a week later"),
    "hear": Input(
        22, "us", "a process, to read an event that nobody there listens to", "500 events in memory, CPU time"
    ),
    "item": Input(
        2391, "us", "a process, to read what is selected and send it to three", "3,167 - 776, performance.md, live"
    ),
    "item_read": Input(65, "us", "PostgreSQL, for one item", "performance.md, single read, a week later"),
    "listener": Input(46, "kB", "memory of a listener", "performance.md, live, 5,000 filters"),
    "process": Input(173, "MB", "memory of a process", "performance.md, beside peers"),
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is asked of a deployment, and what it has. Rates are those of a second."""

    name: str
    listeners: int
    changes: int
    pages: int
    processes: int
    shards: int = 1
    replicas: int = 0
    cores: int = 8
    """Of each server of PostgreSQL."""
    audience: int = 3
    """Listeners of one change, all of one process: what listens to one interaction is led there."""


class Simulated(NamedTuple):
    """What came of it: shares of capacity, megabytes, and milliseconds from a commit to a delivery."""

    process_busy: float
    primary_busy: float
    replica_busy: float | None
    memory: float
    half: float
    most: float


SCENARIOS: Sequence[Scenario] = (
    Scenario("as measured", 5_000, 20, 0, 1),
    Scenario("one database, small", 50_000, 200, 200, 10),
    Scenario("one database, large", 250_000, 1_000, 2_000, 50),
    Scenario("the same with two replicas", 250_000, 1_000, 2_000, 50, replicas=2),
    Scenario("1M listeners, 1B messages a year", 1_000_000, 400, 4_000, 200, replicas=2),
    Scenario("1M listeners, 1B messages a month", 1_000_000, 4_000, 4_000, 200, replicas=2),
    Scenario("the same in four shards", 1_000_000, 4_000, 4_000, 200, shards=4, replicas=2),
)


_Step = tuple[float, int, str, int, float]


class _Server:
    """Cores that take work in the order in which it comes."""

    def __init__(self, cores: int) -> None:
        self.used = 0.0
        self._free = [0.0] * cores

    def done(self, at: float, seconds: float) -> float:
        """When work is done that comes at this time."""
        core = min(range(len(self._free)), key=self._free.__getitem__)
        ends = self._free[core] = max(at, self._free[core]) + seconds
        self.used += seconds
        return ends


def simulate(scenario: Scenario, seed: int = SEED) -> Simulated:
    """Run one shard of the scenario: its processes, its primary with its replicas, and its part of what is asked.

    Changes, and pages, come at random (Poisson); how long work takes varies around its measured mean."""
    random = Random(seed)
    seconds = max(CHANGES * scenario.shards / scenario.changes, 1.0)
    processes = [_Server(1) for _ in range(max(scenario.processes // scenario.shards, 1))]
    primary = _Server(scenario.cores)
    replicas = [_Server(scenario.cores) for _ in range(scenario.replicas)]
    readers = replicas or [primary]
    delays: list[float] = []
    # What happens next comes first, so that every server takes its work in order. The number keeps equal times apart.
    coming: list[_Step] = []
    number = count()

    def then(at: float, step: str, process: int, since: float) -> None:
        heappush(coming, (at, next(number), step, process, since))

    for step, rate in (("change", scenario.changes), ("page", scenario.pages)):
        for at in _times(random, rate / scenario.shards, seconds):
            then(at, step, random.randrange(len(processes)), at)
    while coming:
        at, _, step, place, since = heappop(coming)
        process = processes[place]
        if step == "page":
            random.choice(readers).done(at, _around(random, "page_read"))
            process.done(at, _around(random, "page"))
        elif step == "change":
            then(process.done(at, _around(random, "update")), "commit", place, since)
        elif step == "commit":
            ends = primary.done(at, _around(random, "commit"))
            then(ends, "hear", random.randrange(len(processes)), ends)
        elif step == "hear":
            # Every process reads the log; one of them has who listens.
            heard = [each.done(at, _around(random, "hear")) for each in processes]
            then(heard[place], "read", place, since)
        elif step == "read":
            then(random.choice(readers).done(at, _around(random, "item_read")), "send", place, since)
        else:
            sent = process.done(at, _around(random, "item") * scenario.audience / 3)
            if since >= WARM_UP:
                delays.append(sent - since)
    delays.sort()
    return Simulated(
        process_busy=sum(each.used for each in processes) / len(processes) / seconds,
        primary_busy=primary.used / scenario.cores / seconds,
        replica_busy=sum(each.used for each in replicas) / len(replicas) / scenario.cores / seconds
        if replicas
        else None,
        memory=INPUTS["process"].value + INPUTS["listener"].value * scenario.listeners / scenario.processes / 1_000,
        half=_percentile(delays, 0.5) * 1_000,
        most=_percentile(delays, 0.99) * 1_000,
    )


def _times(random: Random, rate: float, seconds: float) -> list[float]:
    found: list[float] = []
    at = 0.0
    while rate and (at := at + random.expovariate(rate)) < seconds:
        found.append(at)
    return found


def _around(random: Random, name: str) -> float:
    """Seconds of a work: half of it is always the same, and half is exponential, as where others wait."""
    mean = INPUTS[name].value / 1_000_000
    return mean / 2 + random.expovariate(2 / mean)


def _percentile(values: Sequence[float], share: float) -> float:
    return values[min(int(share * len(values)), len(values) - 1)]
