"""One measured load: how many deliveries, how late, and at what cost to the server."""

import asyncio
import gc
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psutil
import uvloop

from benchmarks.client import BenchmarkError
from benchmarks.databases import with_children
from benchmarks.live.changes import Changes, Made, Make
from benchmarks.live.listeners import Heard, closing, listen
from benchmarks.processes import Server, cpu_seconds

IN_FLIGHT = 8
_FIRST = 20
_WARM_UP = 10
_PATIENCE = 60.0
_LOOK = 0.2
_IDLE = 0.15


@dataclass(frozen=True, slots=True)
class Load:
    """Subscriptions, one to a socket, and changes: `rate` a second, or without one as fast as they are delivered.
    `equal` when every listener hears every change; otherwise each change is heard by a few."""

    name: str
    subscriptions: Sequence[bytes]
    make: Make
    rate: float | None
    equal: bool = True


@dataclass(frozen=True, slots=True)
class Measured:
    """What a load came to. Times in milliseconds, CPU in microseconds, memory in kB; a delay is (median, 99%, largest),
    from a change's answer or from its request to a delivery of it."""

    load: str
    listeners: int
    changes_per_second: float
    deliveries_per_second: float
    cpu_per_delivery: float
    cpu_per_change: float
    database_cpu_per_change: float | None
    after_answer: tuple[float, float, float]
    after_request: tuple[float, float, float]
    memory: float
    bytes: int


def measure(server: Server, load: Load, seconds: float, database: list[psutil.Process] | None = None) -> Measured:
    """Put the load on the server for so long. Raises BenchmarkError when a change does not reach its listeners."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure(server, load, seconds, database))


async def _measure(server: Server, load: Load, seconds: float, database: list[psutil.Process] | None) -> Measured:
    heard = Heard() if load.equal else Heard(timed=1)
    changes = Changes(server.port, load.make)
    # What is made once whoever listens is no listener's.
    with closing(await listen(server.port, load.subscriptions[:_FIRST], heard)):
        await _settled(server)
        _ = await changes.at_rate(_WARM_UP, 1)
        await _settled(server)
    await _settled(server)
    memory = server.process.memory_info().rss
    listeners = await listen(server.port, load.subscriptions, heard)
    with closing(listeners):
        await _settled(server)
        memory = server.process.memory_info().rss - memory
        _ = await changes.at_rate(_WARM_UP, 1)
        await _settled(server)
        heard.deliveries = heard.total_bytes = 0
        heard.times.clear()
        gc.collect()
        gc.disable()
        try:
            helpers = [] if database is None else with_children(database)
            before, helped_before = server.cpu_seconds(), cpu_seconds(helpers)
            made = await _load(load, changes, heard, seconds)
            used, helped = server.cpu_seconds() - before, cpu_seconds(helpers) - helped_before
        finally:
            gc.enable()
    _require_all(load, made, heard)
    count = len(made.sent)
    return Measured(
        load=load.name,
        listeners=len(listeners),
        changes_per_second=count / made.seconds,
        deliveries_per_second=heard.deliveries / made.seconds,
        cpu_per_delivery=used / heard.deliveries * 1e6,
        cpu_per_change=used / count * 1e6,
        database_cpu_per_change=None if database is None else helped / count * 1e6,
        after_answer=_delays(when - made.answered[number] for number, when in heard.times),
        after_request=_delays(when - made.sent[number] for number, when in heard.times),
        memory=memory / len(listeners) / 1024,
        bytes=heard.total_bytes // heard.deliveries,
    )


async def _load(load: Load, changes: Changes, heard: Heard, seconds: float) -> Made:
    if load.rate is None:
        return await changes.as_fast_as_delivered(heard, len(load.subscriptions), IN_FLIGHT, seconds)
    made = await changes.at_rate(load.rate, seconds)
    if load.equal:
        _ = await heard.until(len(made.sent) * len(load.subscriptions), _PATIENCE)
    else:
        await asyncio.sleep(1)
    return made


async def _settled(server: Server) -> None:
    """Until the server has done what it was asked to: it uses next to nothing."""
    idle = 0
    async with asyncio.timeout(_PATIENCE):
        while idle < 3:
            before = server.cpu_seconds()
            await asyncio.sleep(_LOOK)
            idle = idle + 1 if server.cpu_seconds() - before < _IDLE * _LOOK else 0


def _require_all(load: Load, made: Made, heard: Heard) -> None:
    if heard.failed is not None:
        raise BenchmarkError(f"A listener was told: {heard.failed[:600]!r}")
    wanted = len(made.sent) * len(load.subscriptions)
    if load.equal and heard.deliveries != wanted:
        raise BenchmarkError(f"{heard.deliveries:,} of {wanted:,} deliveries came.")
    missed = set(made.sent) - {number for number, _ in heard.times}
    if missed:
        raise BenchmarkError(f"{len(missed)} of {len(made.sent)} changes reached nobody.")


def _delays(seconds: Iterable[float]) -> tuple[float, float, float]:
    ordered = sorted(seconds)
    return tuple(ordered[int((len(ordered) - 1) * part)] * 1e3 for part in (0.5, 0.99, 1.0))  # type: ignore[return-value]
