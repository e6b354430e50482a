"""A receiver of webhooks that answers as it is told, and keeps what came."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
from standardwebhooks import Webhook

from tests.serving import eventually

Answer = tuple[int, Mapping[str, str], bytes]
OK: Answer = (200, {}, b"thanks")


@dataclass(frozen=True, slots=True)
class Request:
    """One request, and how it was answered; None where the connection was cut instead."""

    headers: Mapping[str, str]
    body: bytes
    answer: Answer | None
    target: str = ""

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def item(self) -> Any:
        """The value of the subscription's field."""
        (value,) = orjson.loads(self.body)["data"].values()
        return value

    def verify(self, secret: str) -> Any:
        """The body, once its signature fits. Raises WebhookVerificationError."""
        return Webhook(secret).verify(self.body, dict(self.headers))


@dataclass
class Receiver:
    """`decide` says how a request is answered: None cuts the connection, and a wait may come before."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)
    decide: Callable[[Mapping[str, str], Any], Answer | None] = lambda _headers, _body: OK
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: int = 0
    at_once: int = 0
    most_at_once: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def accepted(self) -> list[Request]:
        return [each for each in self.requests if each.answer is not None and each.answer[0] < 300]

    async def has(self, count: int) -> Sequence[Request]:
        """The first requests, once there are so many."""
        await eventually(lambda: len(self.requests) >= count)
        return self.requests[:count]

    async def silent(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes for a while."""
        before = self.arrived
        await asyncio.sleep(seconds)
        return self.arrived == before

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                pairs = (line.split(": ", 1) for line in head[1:] if line)
                headers = {name.lower(): value for name, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.arrived += 1
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                try:
                    await self.gate.wait()
                    answer = self.decide(headers, body)
                finally:
                    self.at_once -= 1
                self.requests.append(Request(headers, body, answer, head[0].split(" ")[1]))
                if answer is None:
                    break
                status, more, content = answer
                lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in more.items())]
                writer.write("\r\n".join([*lines, f"content-length: {len(content)}", "", ""]).encode() + content)
                await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def receiving(port: int = 0) -> AsyncIterator[Receiver]:
    """A receiver at a port of this machine, until the end of the block."""
    receiver = Receiver()
    receiver.gate.set()
    server = await asyncio.start_server(receiver.take, "127.0.0.1", port)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
