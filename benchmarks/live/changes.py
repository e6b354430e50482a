"""Changes of the measured database: sent at a rate, or as fast as their deliveries come."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from benchmarks.cases import request
from benchmarks.client import BenchmarkError, KeptAlive
from benchmarks.live.listeners import Heard

_CONNECTIONS = 8
_PATIENCE = 30.0

CHANGE = """mutation Change($input: SetLabelsInput!) {
  setLabels(input: $input) { errors { code } }
}"""

Make = Callable[[int], bytes]
"""The request of the change with this number."""


@dataclass(slots=True)
class Made:
    """What was changed: when each change was sent and when it was answered, and how long all of it took."""

    sent: dict[int, float] = field(default_factory=dict)
    answered: dict[int, float] = field(default_factory=dict)
    seconds: float = 0.0


def change(number: int, interaction: str, label: str) -> bytes:
    """A change of an interaction's labels. Its number is in the event."""
    return request(CHANGE, {"input": {"id": interaction, "labels": [label], "clientMutationId": f"bench-{number}"}})


class Changes:
    """Makes changes on a few connections, numbered onwards from 0."""

    def __init__(self, port: int, make: Make) -> None:
        self._port = port
        self._make = make
        self._number = 0
        self._made = Made()
        self._free: asyncio.Queue[KeptAlive] = asyncio.Queue()

    async def at_rate(self, rate: float, seconds: float) -> Made:
        """So many changes a second, each at its time whatever became of those before it."""
        async with self._connected() as made:
            started = time.perf_counter()
            running = []
            for turn in range(int(rate * seconds)):
                await asyncio.sleep(started + turn / rate - time.perf_counter())
                running.append(asyncio.create_task(self._change()))
            await asyncio.gather(*running)
            made.seconds = time.perf_counter() - started
        return made

    async def as_fast_as_delivered(self, heard: Heard, listeners: int, in_flight: int, seconds: float) -> Made:
        """The next change as soon as all but `in_flight` - 1 of those before it have reached every listener."""
        before = heard.deliveries
        async with self._connected() as made:
            started = time.perf_counter()
            running: set[asyncio.Task[None]] = set()
            while time.perf_counter() - started < seconds:
                count = len(made.sent)
                if not await heard.until(before + (count - in_flight + 1) * listeners, _PATIENCE):
                    raise BenchmarkError(f"After {count} changes {heard.deliveries - before} deliveries have come.")
                running.add(asyncio.create_task(self._change()))
                await asyncio.sleep(0)
            await asyncio.gather(*running)
            _ = await heard.until(before + len(made.sent) * listeners, _PATIENCE)
            made.seconds = time.perf_counter() - started
        return made

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Made]:
        # Anew for every load: the server closes connections that were idle for some seconds.
        self._made = Made()
        connections = [await KeptAlive.connect(self._port) for _ in range(_CONNECTIONS)]
        self._free = asyncio.Queue()
        for connection in connections:
            self._free.put_nowait(connection)
        try:
            yield self._made
        finally:
            for connection in connections:
                await connection.close()

    async def _change(self) -> None:
        number = self._number
        self._number += 1
        body = self._make(number)
        self._made.sent[number] = time.perf_counter()
        connection = await self._free.get()
        try:
            answer = await connection.ask(body)
        finally:
            self._free.put_nowait(connection)
        self._made.answered[number] = time.perf_counter()
        if b'"code"' in answer or b'"errors":[{' in answer:
            raise BenchmarkError(f"The server answered: {answer[:600]!r}")
