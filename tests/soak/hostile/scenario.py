"""The run of the attacks, one after the other, each on a server of its own over one database."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from tests.soak.hostile.attacks import ATTACKS, ON_POSTGRESQL
from tests.soak.hostile.innocent import Errand
from tests.soak.hostile.measures import KINDS, Measures, failures_between, late_between
from tests.soak.hostile.people import Cast, cast
from tests.soak.hostile.proofs import PROOFS, Ground
from tests.soak.hostile.target import Target
from tests.soak.hostile.watching import MEGABYTE, Held, Watched, attacker, innocent
from tests.soak.processes import Process
from tests.soak.traffic import Outcome

_POOL_SIZE = 16
_MOST_CONNECTIONS = 2 * _POOL_SIZE + 8
"""To PostgreSQL: for reads, for commands, and those of the event log, the leases and the watch for silence."""

SETTINGS: Mapping[str, str] = {
    "SWITCHBOARD_DEMO": "false",
    "SWITCHBOARD_POOL_SIZE": str(_POOL_SIZE),
    "SWITCHBOARD_KEY_PEPPER": "the pepper of a run that lasts",
}

_WARM_SECONDS = 1.0
_STOPS_WITHIN = 5.0
"""Seconds from SIGTERM to the end of a server: its grace of 2, and what closing takes."""

_TOLERATED_MEMORY = 64 * MEGABYTE
"""How much more memory a server may hold after an attack: its caches are bounded, and it has just begun."""

_TRIES = 3

_TOLERATED_LOG = 64 * 1024
_TOLERATED_STARVING = 0.2
"""The part of the time in which a server may wait for a core, and its times still mean something."""


@dataclass(frozen=True, slots=True)
class Attacked:
    """What one attack came to."""

    name: str
    answers: Mapping[str, int]
    alone: Measures
    beside: Measures
    before: Held
    peak: int
    after: Held | None
    logged: int
    starved: float
    stopped: float
    late: Sequence[str]
    """Times that are longer than they may be."""
    faults: Sequence[str]
    """What else is wrong."""

    def __str__(self) -> str:
        times = "  ".join(
            f"{kind} {_ms(a.median)}/{_ms(a.p99)} -> {_ms(b.median)}/{_ms(b.p99)}/{_ms(b.worst)} ms "
            f"x{b.p99 / max(a.p99, 0.0001):.1f}"
            for kind in KINDS
            for a, b in ((getattr(self.alone, kind), getattr(self.beside, kind)),)
        )
        after = "-" if self.after is None else f"{self.after.memory / MEGABYTE:.0f}"
        files = "-" if self.after is None else str(self.after.files)
        connections = "-" if self.after is None else str(self.after.connections)
        common = sorted(self.answers.items(), key=lambda each: -each[1])[:3]
        verdict = "FAIL" if self.faults else "late" if self.late else "ok  "
        return (
            f"{verdict} {self.name:<20} {times}  canary {_ms(self.beside.canary.p99)}  "
            f"no core {self.starved:.0%}  "
            f"RSS {self.before.memory / MEGABYTE:.0f} -> {self.peak / MEGABYTE:.0f} -> {after} MB  "
            f"files {self.before.files} -> {files}  database {self.before.connections} -> {connections}  "
            f"log {self.logged / 1024:.0f} KB  stop {self.stopped:.1f} s  "
            f"{', '.join(f'{count} x {answer}' for answer, count in common) or 'no answer'}"
        )


def _ms(seconds: float) -> str:
    return f"{seconds * 1_000:.1f}" if seconds < 0.1 else f"{seconds * 1_000:,.0f}"


async def run(database_url: str, folder: Path, *, seconds: float, messages: int, only: Sequence[str]) -> Outcome:
    """Attack for so many seconds each. `only` are names of attacks and proofs; without any it is all of them."""
    on_postgresql = database_url.startswith("postgresql")
    attacks = [name for name in ATTACKS if _wanted(name, only) and (on_postgresql or name not in ON_POSTGRESQL)]
    proofs = [name for name in PROOFS if _wanted(name, only)]
    failed = list[str]()
    async with served(database_url, folder, "prepare") as process:
        people = await cast(process.port, database_url, messages)
    _tell("median/p99 in ms without the attacker -> median/p99/worst beside it, and how many times the p99")
    for name in attacks:
        wrong = await believed(partial(_attack, name, database_url, folder, people, seconds))
        failed += _told(name, wrong)
    ground = Ground(people.target, folder, SETTINGS)
    for name in proofs:
        wrong = await PROOFS[name](ground)
        _tell(f"{'FAIL' if wrong else 'ok  '} {name}")
        failed += _told(name, wrong)
    total = len(attacks) + len(proofs)
    return Outcome(f"{total - len(failed)} of {total} attacks hurt nobody, {seconds:.0f} s each", failed)


async def believed(attack: Callable[[], Awaitable[Attacked]]) -> Sequence[str]:
    """What is wrong after an attack. It is late when it is in two tries of three: on a machine that others use too,
    anything is late now and then."""
    late = 0
    for tries in range(1, _TRIES + 1):
        try:
            found = await attack()
        except (EOFError, TimeoutError, RuntimeError, psutil.Error) as error:
            return [f"the run itself failed: {error!r}"]
        _tell(str(found))
        late += bool(found.late)
        if found.faults or late * 2 > _TRIES:
            return [*found.late, *found.faults]
        if (tries - late) * 2 > _TRIES or not late:
            return []
        for each in found.late:
            _tell(f"     {each}; it is tried again")
    raise AssertionError("one of both is more than half")


def _told(name: str, faults: Sequence[str]) -> list[str]:
    """Tell the faults of an attack; its name when it has any."""
    for fault in faults:
        _tell(f"     {fault}")
    return [name] if faults else []


def _wanted(name: str, only: Sequence[str]) -> bool:
    return not only or name in only


@asynccontextmanager
async def served(database_url: str, folder: Path, name: str) -> AsyncIterator[Process]:
    """A server with the settings of a run, until the block ends."""
    process = Process(name, database_url, folder, SETTINGS)
    await process.start()
    try:
        yield process
    finally:
        await process.stop()


async def _attack(name: str, database_url: str, folder: Path, people: Cast, seconds: float) -> Attacked:
    async with served(database_url, folder, name) as process:
        target = replace(people.target, port=process.port)
        errand = replace(people.errand, port=process.port)
        watched = Watched(process, database_url)
        alone, beside, before, tally, starved = await _measured(name, watched, target, errand, seconds)
        after = await watched.settled(before, _TOLERATED_MEMORY) if process.runs else None
        late = late_between(alone, beside)
        if late and starved > _TOLERATED_STARVING:
            late.append(f"its loop had no core for {starved:.0%} of that time: run it again on a quiet machine")
        faults = failures_between(alone, beside) + _left(watched, before, after)
        started = time.perf_counter()
        ended = await process.stop()
        stopped = time.perf_counter() - started
    if not ended or stopped > _STOPS_WITHIN:
        faults.append(f"it took {stopped:.0f} s to stop at SIGTERM")
    if tally["failed"]:
        faults.append(f"the attack itself failed: {tally['failed']}")
    faults += [f"answered as its own fault: {each}" for each in tally["internal"]]
    faults += tracebacks(process)
    return Attacked(
        name=name,
        answers=tally["answers"],
        alone=alone,
        beside=beside,
        before=before,
        peak=watched.peak,
        after=after,
        logged=watched.logged,
        starved=starved,
        stopped=stopped,
        late=late,
        faults=faults,
    )


async def _measured(
    name: str, watched: Watched, target: Target, errand: Errand, seconds: float
) -> tuple[Measures, Measures, Held, dict[str, Any], float]:
    async with innocent(errand) as somebody:
        await somebody.measure(_WARM_SECONDS)
        alone = await somebody.measure(max(seconds / 2, 2.0))
        before = await watched.held()
        watched.peak = 0
        sampling = asyncio.create_task(watched.sample())
        try:
            async with attacker(name, target) as attacking:
                began, waited = time.perf_counter(), watched.waited()
                beside = await somebody.measure(seconds)
                starved = (watched.waited() - waited) / (time.perf_counter() - began)
                tally = await attacking.end()
        finally:
            sampling.cancel()
            with suppress(asyncio.CancelledError, psutil.NoSuchProcess):
                await sampling
    return alone, beside, before, tally, starved


def _left(watched: Watched, before: Held, after: Held | None) -> list[str]:
    """What an attack has left behind in the server."""
    if after is None:
        return ["the server answers nobody after the attack"]
    faults = []
    if after.memory - before.memory > _TOLERATED_MEMORY:
        more = (after.memory - before.memory) / MEGABYTE
        faults.append(f"{more:.0f} MB more are held after it, {_TOLERATED_MEMORY / MEGABYTE:.0f} are allowed")
    if not after.is_back_at(before, 2**60):
        faults.append(f"{after.files - before.files} more files are open after it")
    if after.connections > _MOST_CONNECTIONS:
        faults.append(f"{after.connections} connections to the database are open after it")
    if watched.logged > _TOLERATED_LOG:
        faults.append(f"{watched.logged / 1024:.0f} KB were written to the log")
    return faults


def tracebacks(process: Process) -> list[str]:
    """The exceptions in a server's log, and tracebacks that never came to be an entry."""
    found = process.failures()
    text = process.log.read_text(encoding="utf-8", errors="replace")
    loose = sum(line.startswith("Traceback") for line in text.splitlines())
    if loose:
        found.append(f"{process.log.name}: {loose} tracebacks outside of any entry")
    return found


def _tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - what it is for
