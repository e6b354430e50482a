"""Clients of a running server: one that calls over HTTP, and listeners over WebSocket and Server-Sent Events."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import orjson
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.serving import PATIENCE, open_socket
from tests.soak.processes import KEY

BEARER = {"authorization": f"Bearer {KEY}"}

BROKEN = (OSError, EOFError, TimeoutError, ConnectionClosed, InvalidHandshake)
"""What a connection ends with that was not meant to."""

Items = AsyncIterator[Mapping[str, Any]]
Listen = Callable[[int, str, Mapping[str, object], bool], AbstractAsyncContextManager[Items]]


class Refused(Exception):
    """The server answered with errors where none may be."""


class Caller:
    """Calls the server at a port over one connection, which it opens again when it broke."""

    def __init__(self, port: int, key: str = KEY) -> None:
        self.port = port
        self._as = {"authorization": f"Bearer {key}"}
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, document: str, **variables: object) -> dict[str, Any]:
        """The data of the answer. Raises one of BROKEN, and Refused."""
        try:
            async with asyncio.timeout(PATIENCE):
                if self._streams is None:
                    self._streams = await asyncio.open_connection("127.0.0.1", self.port)
                reader, writer = self._streams
                writer.write(http_request(document, variables, "application/json", self._as))
                head = await reader.readuntil(b"\r\n\r\n")
                answer = orjson.loads(await reader.readexactly(_length(head)))
        except BaseException:
            self.close()
            raise
        if "errors" in answer:
            raise Refused(orjson.dumps(answer["errors"]).decode())
        data: dict[str, Any] = answer["data"]
        return data

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@asynccontextmanager
async def over_websocket(
    port: int, document: str, variables: Mapping[str, object], rude: bool
) -> "AsyncIterator[Items]":
    """The values of a subscription's field, as they come; who is rude ends without a word."""

    async def items() -> Items:
        while True:
            message = await socket.take()
            if message["type"] != "next" or "errors" in message["payload"]:
                raise Refused(orjson.dumps(message).decode())
            (value,) = message["payload"]["data"].values()
            yield value

    async with open_socket(port, BEARER) as socket:
        try:
            await socket.subscribe("1", document, **variables)
            yield items()
        finally:
            if rude:
                socket.connection.transport.abort()


@asynccontextmanager
async def over_events(port: int, document: str, variables: Mapping[str, object], rude: bool) -> "AsyncIterator[Items]":
    """The same over Server-Sent Events; the place to go on from is sent as browsers do."""

    async def items() -> Items:
        rest = b""
        while True:
            size = int(await reader.readline() or b"0", 16)
            if size == 0:
                raise EOFError
            rest += (await reader.readexactly(size + 2))[:-2]
            *frames, rest = rest.split(b"\n\n")
            for frame in frames:
                if frame == b":":
                    continue
                answer = orjson.loads(frame[frame.index(b"data: ") + 6 :])
                if "errors" in answer:
                    raise Refused(frame.decode())
                (value,) = answer["data"].values()
                yield value

    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        given = dict(variables)
        after = given.pop("after", None)
        writer.write(http_request(document, given, "text/event-stream", {"last-event-id": str(after)}))
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise Refused(head.decode())
        yield items()
    finally:
        if rude:
            writer.transport.abort()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def http_request(
    document: str, variables: Mapping[str, object], accept: str, more: Mapping[str, str] | None = None
) -> bytes:
    """A whole request over HTTP, as a client with keep-alive sends it."""
    body = orjson.dumps({"query": document, "variables": variables})
    headers = {
        "host": "127.0.0.1",
        "content-type": "application/json",
        "accept": accept,
        "content-length": str(len(body)),
        **BEARER,
        **(more or {}),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /graphql HTTP/1.1\r\n{lines}\r\n".encode() + body


def _length(head: bytes) -> int:
    named = b"content-length:"
    start = head.lower().index(named) + len(named)
    return int(head[start : head.index(b"\r", start)])
