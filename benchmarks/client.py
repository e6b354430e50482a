"""A load generator that costs little: raw HTTP/1.1 with keep-alive, the requests made beforehand."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

_LENGTH = b"content-length: "
_FAILED = b'"errors":[{'


class BenchmarkError(Exception):
    """The server did not answer as it has to; the message says how."""


@dataclass(slots=True)
class Tally:
    """What the connections of one case have counted. Latencies are seconds."""

    until: float
    latencies: list[float] = field(default_factory=list)
    body_bytes: int = 0
    failed: bytes | None = None


class Connection(asyncio.Protocol):
    """One client: sends a request when the one before is answered, until the time is up."""

    def __init__(self, requests: Sequence[bytes], tally: Tally, done: "asyncio.Future[None]") -> None:
        self._requests = requests
        self._tally = tally
        self._done = done
        self._turn = 0
        self._sent_at = 0.0
        self._pending = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(BenchmarkError(f"The server closed a connection: {exc}"))

    def data_received(self, data: bytes) -> None:
        data = self._pending + data if self._pending else data
        head = data.find(b"\r\n\r\n")
        start = data.lower().find(_LENGTH, 0, head) + len(_LENGTH) if head > 0 else 0
        length = int(data[start : data.index(b"\r", start)]) if head > 0 else 0
        if head < 0 or len(data) < head + 4 + length:
            self._pending = data
            return
        self._pending = b""
        now = time.perf_counter()
        tally = self._tally
        tally.latencies.append(now - self._sent_at)
        tally.body_bytes += length
        if not data.startswith(b"HTTP/1.1 200") or _FAILED in data:
            tally.failed = tally.failed or data
        if self._goes_on(now) and tally.failed is None:
            self._send()
        elif not self._done.done():
            self._done.set_result(None)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _goes_on(self, now: float) -> bool:
        return now < self._tally.until

    def _send(self) -> None:
        assert self._transport is not None
        request = self._requests[self._turn % len(self._requests)]
        self._turn += 1
        self._sent_at = time.perf_counter()
        self._transport.write(request)


async def drive(port: int, connections: Sequence[Sequence[bytes]], seconds: float) -> Tally:
    """Send the requests of all connections at once for so long. Raises BenchmarkError for an answer that failed."""
    loop = asyncio.get_running_loop()
    tally = Tally(until=time.perf_counter() + seconds)
    finished, clients = [], []
    for requests in connections:
        done: asyncio.Future[None] = loop.create_future()
        _, client = await loop.create_connection(
            lambda requests=requests, done=done: Connection(requests, tally, done),  # type: ignore[misc]
            "127.0.0.1",
            port,
        )
        finished.append(done)
        clients.append(client)
    try:
        async with asyncio.timeout(seconds + 30):
            await asyncio.gather(*finished)
    finally:
        for client in clients:
            client.close()
    if tally.failed is not None:
        raise BenchmarkError(f"The server answered: {tally.failed[:600]!r}")
    return tally


class KeptAlive:
    """A connection for one request after another."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int) -> "KeptAlive":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> bytes:
        """The body of the answer. Raises BenchmarkError for any status but 200."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        start = head.lower().index(_LENGTH) + len(_LENGTH)
        body = await self._reader.readexactly(int(head[start : head.index(b"\r", start)]))
        if not head.startswith(b"HTTP/1.1 200"):
            raise BenchmarkError(f"The server answered: {(head + body)[:600]!r}")
        return body

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def ask(port: int, request: bytes) -> bytes:
    """The body of one answer."""
    connection = await KeptAlive.connect(port)
    try:
        return await connection.ask(request)
    finally:
        await connection.close()
