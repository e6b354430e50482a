"""The comparisons of `bench variants`, each within one server."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

import psutil

from benchmarks.cases import KEY, Case, cases
from benchmarks.client import ask
from benchmarks.measuring import sessions_of
from benchmarks.processes import Server
from benchmarks.variants.blocks import Asking, asking
from benchmarks.variants.destinations import MANY, create_first
from benchmarks.variants.member import as_asked_with, key_of_member, prove_alike
from benchmarks.variants.meters import metering
from benchmarks.variants.turns import orders, take_turns, within

_READS = 3
"""The first cases are the reads."""

_BLOCK_SECONDS = 0.01
_BLOCK_OF_WRITES = 0.1
"""How long a block takes: so short that the machine is the same for all variants of a turn. After writes the log is
read, by pieces: a block has to be long for each to have as many."""

_REST = 0.001
_REST_OF_WRITES = 0.03
"""How long a server has for what it does after its last answer, which belongs to the block, too."""


class Variant(NamedTuple):
    """What is switched before it has its turn, as paths; who asks; and what it may cost to the first one."""

    name: str
    switches: Sequence[str]
    key: str = KEY
    aim: float | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """What each variant cost in each turn, there and back, by one request."""

    name: str
    unit: str
    variants: Sequence[Variant]
    costs: Sequence[Sequence[float]]


async def compared(server: Server, database: Sequence[psutil.Process], seconds: float) -> list[Compared]:
    """All comparisons, each for so many seconds; the second variant of each is the first one again.

    Raises BenchmarkError."""
    port = server.port
    sessions = await sessions_of(port)
    *reads, update = cases(sessions)
    member = await key_of_member(port, [number for number, _ in sessions], reads)
    await prove_alike([(port, KEY), (port, member)], reads)
    await create_first(port)
    await _switch(port, "destinations/1")
    processes = [server.process, *database]
    alone = ["destinations/0", "metrics/0"]
    of_callers = [
        Variant("plain", alone),
        Variant("the same again", alone),
        Variant("with metrics", ["destinations/0", "metrics/1"], aim=1.02),
        Variant("seen by a team's member", alone, member, 1.05),
    ]
    of_feed = [
        Variant("no destination", alone),
        Variant("the same again", alone),
        Variant("one destination", ["destinations/1", "metrics/0"], aim=1.02),
    ]
    many = [f"destinations/{MANY}", "metrics/0"]
    of_many = [
        Variant(f"one destination of {MANY:,}", [*many, "heard/1"]),
        Variant("the same again", [*many, "heard/1"]),
        Variant("all of them", [*many, f"heard/{MANY}"], aim=1.02),
    ]
    of_one = [*of_feed[:2], *of_callers[2:3], *of_feed[2:]]
    found = [await _compare(port, processes, case, of_callers, seconds) for case in reads]
    found.append(await _compare(port, processes, update, of_one, 2 * seconds))
    found.append(await _compare(port, processes, update, of_many, 2 * seconds))
    return found


async def _compare(
    port: int, processes: Sequence[psutil.Process], case: Case, variants: Sequence[Variant], seconds: float
) -> Compared:
    is_write = case.name.startswith("update")
    rest = _REST_OF_WRITES if is_write else _REST
    async with AsyncExitStack() as stack:
        callers: dict[str, Asking] = {}
        for key in {each.key for each in variants}:
            callers[key] = await stack.enter_async_context(asking(port, as_asked_with(key, case)))
        for variant in variants:
            await _switch(port, *variant.switches)
            count = await callers[variant.key].fitting(_BLOCK_OF_WRITES if is_write else _BLOCK_SECONDS)
        with metering(processes) as meter:

            async def measure(place: int) -> float:
                variant = variants[place]
                await _switch(port, *variant.switches)
                return await callers[variant.key].cost(count, rest, meter)

            turns = within(seconds, orders(len(variants), Random(1)))
            return Compared(case.name, meter.unit, variants, await take_turns(len(variants), turns, measure))


async def _switch(port: int, *switches: str) -> None:
    for each in switches:
        await ask(port, f"GET /switch/{each} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
