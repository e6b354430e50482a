"""The process of a fuzz: `python -m tests.soak.hostile.fuzz.fuzzer`.

It takes an `Order` as a line of JSON, says `ready` once it has generated what it begins with, and gives a `Fuzzed` at
the end. Then it repeats alone each visit whose number it is given in a line."""

import asyncio
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from heapq import heappush, heappushpop
from math import inf
from typing import Any

import orjson
import uvloop

from tests.soak.hostile.fuzz.corpus import corpus
from tests.soak.hostile.fuzz.doors import Visit, Visitor
from tests.soak.hostile.innocent import say
from tests.soak.hostile.target import Target

_AT_ONCE = 24
_MOST_FAULTS = 20
_SLOWEST = 12


@dataclass(frozen=True)
class Order:
    """What a fuzzer is told. `documents` and `examples` are how many it generates, of each root and operation; after so
    many `seconds`, if any are given, it sends nothing more."""

    target: dict[str, Any]
    seed: int
    requests: int
    documents: int
    examples: int
    seconds: float | None


@dataclass
class Fuzzed:
    """What came of a fuzz. Faults are given with the number of their visit; `slowest` are the numbers of visits."""

    requests: int = 0
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    faults_in_all: int = 0
    slowest: list[tuple[float, int]] = field(default_factory=list)

    def add(self, number: int, visit: Visit, seconds: float) -> None:
        self.requests += visit.requests
        self.outcomes[visit.outcome] += 1
        if visit.fault is not None:
            self.faults_in_all += 1
            if len(self.faults) < _MOST_FAULTS:
                self.faults.append(f"visit {number}, {visit.outcome}: {visit.fault} to {visit.sent}")
        if visit.outcome.startswith(("bytes", "frames")) or "stream" in visit.outcome:
            return  # their time is mostly that of waiting for what does not come
        if len(self.slowest) < _SLOWEST:
            heappush(self.slowest, (seconds, number))
        else:
            heappushpop(self.slowest, (seconds, number))


async def fuzz(visitor: Visitor, requests: int, seconds: float | None) -> Fuzzed:
    """Make visits until there were so many requests, or the time is up."""
    found, numbers = Fuzzed(), iter(range(10**9))
    started = time.perf_counter()
    until = inf if seconds is None else started + seconds

    async def visits() -> None:
        while found.requests < requests and time.perf_counter() < until:
            number = next(numbers)
            began = time.perf_counter()
            visit = await visitor.visit(number)
            found.add(number, visit, time.perf_counter() - began)

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(visits())
    found.seconds = time.perf_counter() - started
    return found


async def main() -> None:
    order = Order(**orjson.loads(await asyncio.to_thread(sys.stdin.readline)))
    target = Target(**{**order.target, "refs": tuple(order.target["refs"])})
    visitor = Visitor(target, corpus(order.seed, order.documents, order.examples), order.seed)
    say(b"ready")
    found = await fuzz(visitor, order.requests, order.seconds)
    say(orjson.dumps({**vars(found), "outcomes": dict(found.outcomes)}))
    while line := await asyncio.to_thread(sys.stdin.readline):
        say(orjson.dumps(asdict(await visitor.visit(int(line)))))


if __name__ == "__main__":
    uvloop.run(main())
