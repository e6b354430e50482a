"""Two servers over databases of different size, asked in turn."""

from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from random import Random
from typing import NamedTuple

import psutil

from benchmarks.cases import KEY, cases
from benchmarks.measuring import sessions_of
from benchmarks.processes import Server
from benchmarks.variants.blocks import Asking, asking
from benchmarks.variants.member import as_asked_with, key_of_member
from benchmarks.variants.meters import Meter, metering
from benchmarks.variants.turns import orders, take_turns, within

_BLOCK_SECONDS = 0.05
"""How long a block of requests takes."""

_REST = 0.01
"""How long a server has for what it does after the last answer of a block."""


class Grown(NamedTuple):
    """What a request of a caller cost in each turn: over the small database, over the large one, and over the small one
    again."""

    name: str
    caller: str
    unit: str
    costs: Sequence[Sequence[float]]


async def grown(small: Server, large: Server, database: Sequence[psutil.Process], seconds: float) -> list[Grown]:
    """The four cases as an administrator, and the reads as a member of teams, each for so many seconds.

    Raises BenchmarkError."""
    servers = (small, large)
    sessions = [await sessions_of(server.port) for server in servers]
    asked = [cases(each) for each in sessions]
    members = [
        await key_of_member(server.port, [number for number, _ in found], those[:-1])
        for server, found, those in zip(servers, sessions, asked, strict=True)
    ]
    found: list[Grown] = []
    for number, case in enumerate(asked[0]):
        callers = {"administrator": (KEY, KEY), "member": tuple(members)}
        if number == len(asked[0]) - 1:
            del callers["member"]  # who may not change them
        for caller, keys in callers.items():
            async with AsyncExitStack() as stack:
                asking_: list[Asking] = [
                    await stack.enter_async_context(asking(server.port, as_asked_with(key, those[number])))
                    for server, key, those in zip(servers, keys, asked, strict=True)
                ]
                unit, costs = await _compared(asking_, [[server.process, *database] for server in servers], seconds)
            found.append(Grown(case.name, caller, unit, costs))
    return found


async def _compared(
    callers: Sequence[Asking], processes: Sequence[Sequence[psutil.Process]], seconds: float
) -> tuple[str, Sequence[Sequence[float]]]:
    count = min([await caller.fitting(_BLOCK_SECONDS) for caller in callers])
    with ExitStack() as stack:
        meters: list[Meter] = [stack.enter_context(metering(each)) for each in processes]
        places = [0, 1, 0]

        async def measure(variant: int) -> float:
            place = places[variant]
            return await callers[place].cost(count, _REST, meters[place])

        turns = within(seconds, orders(len(places), Random(1)))
        return meters[0].unit, await take_turns(len(places), turns, measure)
