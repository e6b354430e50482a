"""A rude network between two servers: slow, busy, broken before or after the work was done."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.soak.connections.systems import DOOMED

_PATIENCE = 30.0
_DELAYS = (0.05, 2.0)
_LONG_DELAY = 11.0
"""Longer than a connection waits for an answer."""


Fault = tuple[float, str]
_FAULTS: tuple[Fault, ...] = (
    (0.06, "slow"),
    (0.01, "busy"),
    (0.005, "unavailable"),
    (0.02, "500 before"),
    (0.02, "500 after"),
    (0.02, "cut before"),
    (0.02, "cut after"),
    (0.01, "half an answer"),
    (0.003, "late"),
)
_REFUSED = 0.03
_RUDER = 2.5
"""So many times more often a write goes wrong than a read."""


@dataclass
class Proxy:
    """Passes requests on to the server at `to`, as long as it is not rude; keeps what it did to each write.

    `said` counts how often each text was made there, `doubtful` how often its sender could not know. What is doomed
    is cut off each time."""

    to: int
    choose: random.Random
    rude: bool = True
    dooms: bool = True
    port: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    doubtful: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def serving(self) -> "AsyncIterator[Proxy]":
        """Serve until the block ends."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError, TimeoutError):
            while await self._answer(reader, writer):
                pass
        writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether the connection goes on."""
        head = await reader.readuntil(b"\r\n\r\n")
        line, _, rest = head.partition(b"\r\n")
        method, path, _ = line.decode().split(" ")
        body = await reader.readexactly(_length(rest))
        fault = "cut before" if self.dooms and DOOMED.encode() in body else self._choice(method)
        self.requests[method] += 1
        if fault:
            self.faults[fault] += 1
        match fault:
            case "busy" | "unavailable":
                status = b"429 Busy" if fault == "busy" else b"503 Unavailable"
                return await _say(writer, status, b'{"message": "later"}', b"retry-after: 1\r\n")
            case "refused":
                return await _say(writer, b"422 Refused", b'{"message": "not today"}')
            case "500 before" | "cut before":
                self._note(method, path, body, made=False, known=False)
                return fault == "500 before" and await _say(writer, b"500 Broken", b"{}")
            case "slow":
                await asyncio.sleep(self.choose.uniform(*_DELAYS))
        answer = await self._passed_on(line, rest, body)
        made = answer.startswith(b"HTTP/1.1 2")
        lost = fault in ("500 after", "cut after", "half an answer", "late")
        self._note(method, path, body, made=made, known=not lost)
        match fault:
            case "500 after":
                return await _say(writer, b"500 Broken", b"{}")
            case "cut after":
                return False
            case "half an answer":
                writer.write(answer[: len(answer) * 2 // 3])
                await writer.drain()
                return False
            case "late":
                await asyncio.sleep(_LONG_DELAY)
                return False
        writer.write(answer)
        await writer.drain()
        return b"connection: close" not in answer.lower().partition(b"\r\n\r\n")[0]

    def _choice(self, method: str) -> str:
        if not self.rude:
            return ""
        if method != "GET" and self.choose.random() < _REFUSED:
            return "refused"
        drawn = self.choose.random()
        times = 1.0 if method == "GET" else _RUDER
        for share, fault in _FAULTS:
            if drawn < share * times:
                return fault
            drawn -= share * times
        return ""

    def _note(self, method: str, path: str, body: bytes, *, made: bool, known: bool) -> None:
        if method != "POST" or not path.endswith(("/messages", "/Messages", "/events", "/notes")):
            return
        text = _text(orjson.loads(body))
        self.said[text] += made
        self.doubtful[text] += not known

    async def _passed_on(self, line: bytes, rest: bytes, body: bytes) -> bytes:
        """The whole answer of the server."""
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.to)
            try:
                writer.write(line + b"\r\n" + rest + body)
                head = await reader.readuntil(b"\r\n\r\n")
                return head + await reader.readexactly(_length(head))
            finally:
                writer.close()


def _text(body: Mapping[str, Any]) -> str:
    """What a message says, in the words of whichever contract."""
    for name in ("Message", "content", "text"):
        if isinstance(body.get(name), str):
            return str(body[name])
    if "messages" in body:
        return str(body["messages"][0]["content"])
    return str(body["text"]["content"])


async def _say(writer: asyncio.StreamWriter, status: bytes, body: bytes, more: bytes = b"") -> bool:
    size = str(len(body)).encode()
    writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-type: application/json\r\n" + more)
    writer.write(b"content-length: " + size + b"\r\n\r\n" + body)
    await writer.drain()
    return True


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0
