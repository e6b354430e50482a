"""Listeners that cost little: raw graphql-transport-ws, any number of them on one loop."""

import asyncio
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import orjson

from benchmarks.cases import KEY
from benchmarks.client import BenchmarkError

MARK = b'"bench-'
"""How the clientMutationId of a measured change begins; its number comes next."""

_UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
_TEXT, _BINARY, _PING = 1, 2, 9
_OPENED_AT_ONCE = 64
_TIMED = 10
_PATIENCE = 120.0


@dataclass(slots=True)
class Heard:
    """What all listeners together have heard of the measured changes. `times` are (number of the change, when) of every
    tenth listener, or of all when there is no more than one for a change."""

    timed: int = _TIMED
    deliveries: int = 0
    total_bytes: int = 0
    times: list[tuple[int, float]] = field(default_factory=list)
    awaited: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    failed: bytes | None = None

    async def until(self, deliveries: int, seconds: float) -> bool:
        """Wait for so many deliveries; whether they came in time."""
        if self.deliveries >= deliveries:
            return True
        self.awaited = deliveries
        self.reached.clear()
        try:
            async with asyncio.timeout(seconds):
                _ = await self.reached.wait()
        except TimeoutError:
            return False
        return True


class Listener(asyncio.Protocol):
    """One socket with one subscription."""

    def __init__(self, subscribe: bytes, heard: Heard, is_timed: bool, ready: "asyncio.Future[None]") -> None:
        self._subscribe = subscribe
        self._heard = heard
        self._is_timed = is_timed
        self._ready = ready
        self._pending = b""
        self._is_open = False
        self._closing = False
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._transport.write(_UPGRADE)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._closing:
            self._heard.failed = self._heard.failed or f"a socket was closed: {exc}".encode()
            self._heard.reached.set()
        if not self._ready.done():
            self._ready.set_exception(BenchmarkError(f"The server closed a socket: {exc}"))

    def data_received(self, data: bytes) -> None:
        if self._pending:
            data = self._pending + data
        position, end = 0, len(data)
        if not self._is_open:
            position = data.find(b"\r\n\r\n") + 4
            if position < 4:
                self._pending = data
                return
            self._is_open = True
            payload = {"type": "connection_init", "payload": {"authorization": f"Bearer {KEY}"}}
            self._send(orjson.dumps(payload))
        while end - position >= 4:
            start, length = position + 2, data[position + 1]
            if length == 126:
                start, length = position + 4, data[position + 2] << 8 | data[position + 3]
            elif length == 127:
                start, length = position + 10, int.from_bytes(data[position + 2 : position + 10], "big")
            stop = start + length
            if stop > end:
                break
            self._take(data, data[position] & 0x0F, start, stop)
            position = stop
        self._pending = data[position:] if position < end else b""

    def close(self) -> None:
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    def _take(self, data: bytes, opcode: int, start: int, stop: int) -> None:
        mark = data.find(MARK, start, stop)
        if mark >= 0:
            heard = self._heard
            heard.deliveries += 1
            heard.total_bytes += stop - start
            if self._is_timed:
                number = mark + len(MARK)
                heard.times.append((int(data[number : data.index(b'"', number)]), time.perf_counter()))
            if heard.deliveries == heard.awaited:
                heard.reached.set()
        elif opcode == _PING:
            self._send(data[start:stop], 0x8A)
        elif opcode in (_TEXT, _BINARY) and b'"connection_ack"' in data[start:stop]:
            self._send(self._subscribe)
            self._ready.set_result(None)
        elif opcode in (_TEXT, _BINARY) and b'"next"' in data[start:stop]:
            pass  # of something that changed by itself
        elif opcode in (_TEXT, _BINARY) and b'"ping"' in data[start:stop]:
            self._send(b'{"type":"pong"}')
        else:
            self._heard.failed = self._heard.failed or data[start:stop]

    def _send(self, payload: bytes, first: int = 0x81) -> None:
        # A mask of zeroes, so that masking is nothing.
        length = len(payload)
        head = bytes([first, 0x80 | length]) if length < 126 else struct.pack("!BBH", first, 0x80 | 126, length)
        assert self._transport is not None
        self._transport.write(head + b"\0\0\0\0" + payload)


def subscribe(document: str, variables: dict[str, object] | None = None) -> bytes:
    """The message that begins a subscription."""
    payload = {"query": document, "variables": variables or {}}
    return orjson.dumps({"id": "1", "type": "subscribe", "payload": payload})


async def listen(port: int, messages: Sequence[bytes], heard: Heard) -> list[Listener]:
    """Open a socket for each message and send it; what they listen to begins a moment later."""
    loop = asyncio.get_running_loop()
    turns = asyncio.Semaphore(_OPENED_AT_ONCE)

    async def one(number: int, message: bytes) -> Listener:
        async with turns:
            ready: asyncio.Future[None] = loop.create_future()
            _, listener = await loop.create_connection(
                lambda: Listener(message, heard, number % heard.timed == 0, ready), "127.0.0.1", port
            )
            await ready
            return listener

    async with asyncio.timeout(_PATIENCE):
        return list(await asyncio.gather(*(one(number, message) for number, message in enumerate(messages))))


@contextmanager
def closing(listeners: Sequence[Listener]) -> Iterator[None]:
    """Close them at the end of the block."""
    try:
        yield
    finally:
        for listener in listeners:
            listener.close()
