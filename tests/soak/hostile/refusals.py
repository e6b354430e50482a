"""Refusals without end: the memory of the server stays as it is."""

import asyncio
from dataclasses import replace
from pathlib import Path
from statistics import median

import orjson

from tests.soak.hostile.people import cast
from tests.soak.hostile.scenario import served, tracebacks
from tests.soak.hostile.watching import MEGABYTE, Watched, attacker
from tests.soak.traffic import Outcome

_LOOKS = 200
_CROWD = 100
_TOLERATED_GROWTH = 16 * MEGABYTE
"""How much more memory there may be at the end than in the middle: what the allocator keeps in pieces."""


async def run(database_url: str, folder: Path, *, seconds: float) -> Outcome:
    """Be refused in every way for so long."""
    async with served(database_url, folder, "refusals") as process:
        people = await cast(process.port, database_url, _CROWD)
        watched = Watched(process, database_url)
        before = watched.memory()
        seen = []
        async with attacker("refusals", replace(people.target, port=process.port)) as attacking:
            for _ in range(_LOOKS):
                await asyncio.sleep(seconds / _LOOKS)
                seen.append(watched.memory())
            tally = await attacking.end()
        stopped = await process.stop()
    tenth = len(seen) // 10
    middle, end = median(seen[len(seen) // 2 - tenth : len(seen) // 2]), median(seen[-tenth:])
    faults = [f"answered as its own fault: {each}" for each in tally["internal"]] + tracebacks(process)
    if end - middle > _TOLERATED_GROWTH:
        faults.append(f"memory grew by {(end - middle) / MEGABYTE:.0f} MB in the second half")
    if not stopped:
        faults.append("it did not stop at SIGTERM")
    if tally["failed"]:
        faults.append(f"the refusals themselves failed: {tally['failed']}")
    answers = tally["answers"]
    return Outcome(
        f"{sum(answers.values()):,} refusals in {seconds:.0f} s; RSS {before / MEGABYTE:.0f} MB before, "
        f"{middle / MEGABYTE:.0f} in the middle, {end / MEGABYTE:.0f} at the end, "
        f"{watched.peak / MEGABYTE:.0f} at most; "
        f"{orjson.dumps(answers).decode()}",
        faults,
    )
