"""All servers in turn, for a moment each and again, so that what the machine does meets all of them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import psutil
import uvloop

from benchmarks.client import drive
from benchmarks.databases import with_children
from benchmarks.peers.operations import Operation
from benchmarks.processes import Server, cpu_seconds

_WARM_UP = 0.2


@dataclass(slots=True)
class Turns:
    """What the turns of one operation on one server came to. Latencies in milliseconds, CPU in us for a request."""

    requests_per_second: list[float] = field(default_factory=list)
    medians: list[float] = field(default_factory=list)
    slowest_percents: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    database_cpu: list[float] = field(default_factory=list)

    @property
    def spread(self) -> float:
        """The slowest turn as a share of the middle one."""
        return min(self.requests_per_second) / median(self.requests_per_second)


def take_turns(
    loads: Sequence[tuple[Operation, Mapping[str, Server]]],
    database: Sequence[psutil.Process],
    turns: int,
    seconds: float,
) -> dict[tuple[str, str], Turns]:
    """Each operation on each of its servers, by (operation, server); `database` are PostgreSQL's main processes."""
    found = {(operation.name, name): Turns() for operation, servers in loads for name in servers}
    for _ in range(turns):
        for operation, servers in loads:
            for name, server in servers.items():
                _take(server, operation, database, seconds, found[operation.name, name])
    return found


def _take(
    server: Server, operation: Operation, database: Sequence[psutil.Process], seconds: float, into: Turns
) -> None:
    helpers = with_children(list(database))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(drive(server.port, operation.connections, _WARM_UP))
        before, helped = server.cpu_seconds(), cpu_seconds(helpers)
        tally = runner.run(drive(server.port, operation.connections, seconds))
        used, helped = server.cpu_seconds() - before, cpu_seconds(helpers) - helped
    ordered = sorted(tally.latencies)
    count = len(ordered)
    into.requests_per_second.append(count / seconds)
    into.medians.append(ordered[count // 2] * 1_000)
    into.slowest_percents.append(ordered[int(count * 0.99)] * 1_000)
    into.cpu.append(used / count * 1_000_000)
    into.database_cpu.append(helped / count * 1_000_000)
