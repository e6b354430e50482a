"""A fuzz of all doors beside an innocent caller: nothing is the server's fault, and nobody is held up."""

import asyncio
from dataclasses import asdict, replace
from pathlib import Path

import orjson

from tests.soak.hostile.fuzz.fuzzer import Fuzzed, Order
from tests.soak.hostile.measures import TOLERATED, Measures, failures_of
from tests.soak.hostile.people import cast
from tests.soak.hostile.scenario import served, tracebacks
from tests.soak.hostile.watching import MEGABYTE, STARTS_WITHIN, Innocent, Watched, heard, helper, innocent, say
from tests.soak.traffic import Outcome

_WINDOW = 2.0
_REPEATS = 3
_REPEAT_SECONDS = 0.5
_SLOWEST_RATE = 20.0
"""Requests in a second below which a fuzz is given up."""

_GENERATES_WITHIN = 900.0
_TOLERATED_MEMORY = 64 * MEGABYTE
_CROWD = 100


async def run(database_url: str, folder: Path, *, requests: int, seed: int, seconds: float | None) -> Outcome:
    """Send so many requests, the same for the same seed over the same code; no more once the time is up."""
    async with served(database_url, folder, "fuzz") as process:
        people = await cast(process.port, database_url, _CROWD)
        order = Order(
            target=asdict(replace(people.target, port=process.port)),
            seed=seed,
            requests=requests,
            documents=max(20, min(150, requests // 400)),
            examples=max(2, min(8, requests // 5_000)),
            seconds=seconds,
        )
        watched = Watched(process, database_url)
        async with helper(["tests.soak.hostile.fuzz.fuzzer"]) as fuzzer, innocent(people.errand) as somebody:
            say(fuzzer, orjson.dumps(order))
            await heard(fuzzer, STARTS_WITHIN + _GENERATES_WITHIN)
            await somebody.measure(_WINDOW)
            before = await watched.held()
            ending = asyncio.create_task(heard(fuzzer, requests / _SLOWEST_RATE))
            windows = [await somebody.measure(_WINDOW)]
            while not ending.done():
                windows.append(await somebody.measure(_WINDOW))
                watched.memory()
            found = Fuzzed(**orjson.loads(await ending))
            faults = [] if process.runs else ["the server has died"]
            faults += [fault for each in windows for fault in failures_of(each, "read", "beside the fuzz")][:1]
            faults += await _stalls(fuzzer, somebody, found)
        after = await watched.settled(before, _TOLERATED_MEMORY) if process.runs else None
        if after is None:
            faults.append("the server answers nobody afterwards")
        elif after.memory - before.memory > _TOLERATED_MEMORY:
            faults.append(f"{(after.memory - before.memory) / MEGABYTE:.0f} MB more are held afterwards")
        if not await process.stop():
            faults.append("it did not stop at SIGTERM")
    faults += found.faults + tracebacks(process)
    held = 0 if after is None else after.memory
    common = ", ".join(
        f"{count:,} {name}" for name, count in sorted(found.outcomes.items(), key=lambda it: -it[1])[:12]
    )
    return Outcome(
        f"seed {seed}; {found.requests:,} requests, {found.requests / found.seconds:,.0f} in a second; "
        f"{found.faults_in_all} answered as the server's own fault; {_said(windows)}; RSS "
        f"{before.memory / MEGABYTE:.0f} -> {watched.peak / MEGABYTE:.0f} -> {held / MEGABYTE:.0f} MB; {common}",
        faults,
    )


def _said(windows: list[Measures]) -> str:
    worst = max(each.read.worst for each in windows)
    p99 = sorted(each.read.p99 for each in windows)[len(windows) // 2]
    canary = max(each.canary.worst for each in windows)
    return (
        f"an innocent read took {p99 * 1_000:.0f} ms at the p99 of the middle window, {worst * 1_000:.0f} ms at worst; "
        f"a bare sleep was {canary * 1_000:.0f} ms late at worst"
    )


async def _stalls(fuzzer: asyncio.subprocess.Process, somebody: Innocent, found: Fuzzed) -> list[str]:
    """The slowest visits that hold up an innocent caller again each time that they are repeated alone."""
    faults = []
    for seconds, number in sorted(found.slowest, reverse=True):
        if seconds < TOLERATED:
            break
        stalls = []
        for _ in range(_REPEATS):
            measuring = asyncio.create_task(somebody.measure(_REPEAT_SECONDS))
            await asyncio.sleep(_REPEAT_SECONDS / 4)
            say(fuzzer, str(number).encode())
            visit = orjson.loads(await heard(fuzzer, STARTS_WITHIN))
            measures = await measuring
            stalls.append(measures.read.worst - measures.canary.worst)
        if min(stalls) > TOLERATED:
            shown = ", ".join(f"{stall * 1_000:.0f}" for stall in stalls)
            faults.append(f"visit {number} holds up an innocent read for {shown} ms, alone: {visit['sent']}")
    return faults
