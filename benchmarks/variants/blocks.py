"""Blocks of requests over connections that are kept."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import cast

from benchmarks.client import BenchmarkError, Connection, Tally
from benchmarks.variants.meters import Meter

_PATIENCE = 60.0

_UNMEASURED = 0.5
"""The part of a block that goes before it, and is not measured: the interpreter adapts to what it runs."""


class _Repeated(Connection):
    """Sends so many requests, one after the other, each time it is told to."""

    def __init__(self, requests: Sequence[bytes], tally: Tally) -> None:
        super().__init__(requests, tally, asyncio.get_running_loop().create_future())
        self._left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._left:
            super().connection_lost(exc)

    def ask(self, count: int) -> "asyncio.Future[None]":
        self._left = count
        self._done = asyncio.get_running_loop().create_future()
        self._send()
        return self._done

    def _goes_on(self, now: float) -> bool:
        self._left -= 1
        return self._left > 0


class Asking:
    """The connections of one caller."""

    def __init__(self, clients: Sequence[_Repeated], tally: Tally) -> None:
        self._clients = clients
        self._tally = tally

    async def block(self, count: int) -> int:
        """Send at least so many requests, on all connections at once. Returns how many these were.

        Raises BenchmarkError for an answer that failed."""
        each = -(-count // len(self._clients))
        async with asyncio.timeout(_PATIENCE):
            await asyncio.gather(*(client.ask(each) for client in self._clients))
        self._tally.latencies.clear()
        if self._tally.failed is not None:
            raise BenchmarkError(f"The server answered: {self._tally.failed[:600]!r}")
        return each * len(self._clients)

    async def fitting(self, seconds: float) -> int:
        """How many requests take so long."""
        await self.block(100)
        began = perf_counter()
        asked = await self.block(100)
        return max(int(seconds * asked / (perf_counter() - began)), 1)

    async def cost(self, count: int, rest: float, meter: Meter) -> float:
        """What a request of a block costs. `rest` is how many seconds the server has for what it does afterwards."""
        await self.block(int(count * _UNMEASURED))
        await asyncio.sleep(rest)
        before = meter.read()
        asked = await self.block(count)
        await asyncio.sleep(rest)
        return (meter.read() - before) / asked


@asynccontextmanager
async def asking(port: int, connections: Sequence[Sequence[bytes]]) -> AsyncIterator[Asking]:
    """Connections that send these requests in turn, each its own."""
    loop, tally = asyncio.get_running_loop(), Tally(until=0.0)
    clients: list[_Repeated] = []
    try:
        for requests in connections:
            _, client = await loop.create_connection(
                lambda requests=requests: _Repeated(requests, tally),  # type: ignore[misc]
                "127.0.0.1",
                port,
            )
            clients.append(client)
        yield Asking(clients, tally)
    finally:
        for client in clients:
            client.close()
