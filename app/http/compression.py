"""Compression of answers by gzip, for clients that take it."""

import asyncio
import zlib
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import RateLimited
from app.core.fairness import Caller, Turns, to_its_end
from app.http.bodies import GZIP
from app.http.negotiation import weight_of
from app.http.services import caller_of
from app.rest.headers import Headers, header_of

SMALLEST = 1_024
"""Bytes of an answer from which on it is compressed."""

LARGE = 65_536
"""Bytes up to which an answer is compressed on the loop, in a third of a millisecond; a larger one beside it."""

MOST_WAITING = 8
"""Large answers of one caller that wait to be compressed; further ones are sent as they are."""

_LEVEL = 1  # JSON becomes within a tenth as small as by level 6, in half the time
_LONGEST_HEADER = 200  # what was found out about one is remembered
_ENCODED = (b"content-encoding", b"gzip")
_NEVER = (b"text/event-stream", b"font/", b"image/")


def turns_of_large() -> Turns:
    """The turns of large answers, which all that compress in a process share."""
    return Turns(1, waiting=MOST_WAITING)


class Compression:
    """Middleware that compresses answers but for streams of events, whose items must not be held back.

    That of Starlette would take `gzip;q=0` for a yes, run forty threads at once without regard to who asks, and cost
    every request that wants none of it."""

    def __init__(self, app: ASGIApp, turns: Turns | None = None) -> None:
        self.beside = 0
        """How many answers were compressed in a thread."""
        self._app = app
        self._turns = turns_of_large() if turns is None else turns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_wanted(scope, header_of(scope, b"accept-encoding")):
            send = self.around(scope, send)
        await self._app(scope, receive, send)

    def takes(self, scope: Scope, headers: Headers, body: bytes) -> bool:
        """Whether a whole answer is worth compressing, for a client that takes it."""
        return len(body) >= SMALLEST and _is_wanted(scope, headers.get(b"accept-encoding"))

    def around(self, scope: Scope, send: Send) -> Send:
        """A `send` that compresses what it is given, but for streams of events."""
        return _Answer(self, scope, send).send

    async def compress(self, compressor: "zlib._Compress", body: bytes, end: int, caller: Caller) -> bytes:
        """The body compressed, beside the loop when it is large. Raises RateLimited when too many of a caller wait."""

        def compressed() -> bytes:
            return compressor.compress(body) + compressor.flush(end)

        if len(body) <= LARGE:
            return compressed()
        async with self._turns.of(caller):
            self.beside += 1
            return await to_its_end(asyncio.get_running_loop().run_in_executor(None, compressed))


class _Answer:
    """One answer on its way out. Its start is kept back until its body shows whether it is compressed."""

    def __init__(self, compression: Compression, scope: Scope, send: Send) -> None:
        self._compression = compression
        self._scope = scope
        self._send = send
        self._start: Message | None = None
        self._compressor: zlib._Compress | None = None

    async def send(self, message: Message) -> None:
        """Pass a message on, or keep it for the next one."""
        if message["type"] == "http.response.start" and _may_be_compressed(message):
            self._start = message
            return
        if message["type"] == "http.response.body":
            if self._start is not None:
                start, self._start = self._start, None
                if message.get("more_body", False) or len(message.get("body", b"")) >= SMALLEST:
                    message = await self._begun(start, message)
                await self._send(start)
            elif self._compressor is not None:
                message = {**message, "body": await self._compressed(message)}
        await self._send(message)

    async def _begun(self, start: Message, message: Message) -> Message:
        self._compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, GZIP)
        try:
            body = await self._compressed(message)
        except RateLimited:
            self._compressor = None
            return message
        headers = [_weakened(name, value) for name, value in start["headers"] if name != b"content-length"]
        if not message.get("more_body", False):
            headers.append((b"content-length", str(len(body)).encode()))
        start["headers"] = [*headers, _ENCODED]
        return {**message, "body": body}

    async def _compressed(self, message: Message) -> bytes:
        assert self._compressor is not None
        # What is sent in parts is not held back either.
        end = zlib.Z_SYNC_FLUSH if message.get("more_body", False) else zlib.Z_FINISH
        body = message.get("body", b"")
        return await self._compression.compress(self._compressor, body, end, caller_of(self._scope))


def _is_wanted(scope: Scope, accepted: bytes | None) -> bool:
    """Whether an answer with a body may be compressed for the client that accepts these encodings."""
    return scope["method"] != "HEAD" and takes_gzip((accepted or b"")[:_LONGEST_HEADER])


@lru_cache(maxsize=256)
def takes_gzip(accepted: bytes) -> bool:
    """Whether an Accept-Encoding header takes gzip, and not less gladly than what is not compressed."""
    weights: dict[str, float] = {}
    for item in accepted.decode("latin-1").lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        weights[name] = weight_of(parameters)
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def _may_be_compressed(start: Message) -> bool:
    headers: Headers = dict(start["headers"])
    media_type = headers.get(b"content-type", b"")
    return b"content-encoding" not in headers and start["status"] != 206 and not media_type.startswith(_NEVER)


def _weakened(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    # The bytes are not those that a strong tag stands for.
    return (name, value if name != b"etag" or value.startswith(b"W/") else b"W/" + value)
