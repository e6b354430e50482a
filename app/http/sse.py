"""GraphQL over Server-Sent Events, in distinct connections mode."""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
import structlog
from starlette.types import Receive, Scope, Send

from app.core.errors import CursorExpired, RateLimited, release
from app.core.sessions import Transport
from app.core.trail import client_named
from app.execution import errors
from app.execution.documents import Operation
from app.execution.outcome import GraphQLRequest, Outcome, Refused
from app.graph.context import Context
from app.http.negotiation import EXACT, GRAPHQL_RESPONSE, JSON, quality
from app.http.services import Services
from app.http.sessions import session_of
from app.live.connections import ABORT, CLOSE_SECONDS, SESSION_ENDED, Connection, Ending, Known
from app.live.items import Item, Subscriber

log = structlog.get_logger(__name__)

EVENT_STREAM = "text/event-stream"

_COMPLETE = b"event: complete\ndata:\n\n"
_BEAT = b":\n\n"
_HEADERS = (
    (b"content-type", f"{EVENT_STREAM}; charset=utf-8".encode()),
    (b"cache-control", b"private, no-store"),
    (b"x-accel-buffering", b"no"),
    (b"vary", b"Accept, Authorization, X-API-Key"),
)


class Listener(NamedTuple):
    """Who opens a stream: its credential, and its Last-Event-ID.

    `is_native` says that it is a browser's own client, which resumes by itself with the latest id that it has seen."""

    known: Known
    after: str | None
    is_native: bool = False


@lru_cache(maxsize=256)
def takes_stream(accept: str) -> bool:
    """Whether the client names this media type, which is enough for a subscription: there is no other answer to one."""
    found = quality(accept, EVENT_STREAM)
    return found is not None and found[1] == EXACT and found[0] > 0


@lru_cache(maxsize=256)
def prefers_stream(accept: str) -> bool:
    """Whether the client wants any answer as a stream: it names the type, and likes it better than JSON."""
    found = quality(accept, EVENT_STREAM)
    if found is None or found[1] < EXACT or found[0] <= 0:
        return False
    return all((other := quality(accept, name)) is None or other[0] < found[0] for name in (JSON, GRAPHQL_RESPONSE))


async def send_outcome(send: Send, outcome: Outcome) -> None:
    """The answer of an operation that has only one."""
    await _start(send)
    await _body(send, _next(Item(outcome.body.decode())) + _COMPLETE, more=False)


async def stream(
    services: Services,
    operation: Operation,
    request: GraphQLRequest,
    context: Context,
    listener: Listener,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Answer a subscription for as long as the client stays. Raises RateLimited."""
    places = services.connections.sockets
    place = places.take(context.actor.caller)
    if place is None:
        raise RateLimited(f"This user has {places.each:,} sockets and streams open; close one first.", retry_after=5)
    with place:
        async with services.connections.feed.held():
            try:
                subscriber = await services.subscriptions.open(operation, request, context, listener.after)
            except Refused as refused:
                release(refused)
                await _start(send)
                await _body(send, _failed(refused.entries) + _COMPLETE, more=False)
                return
            abort = scope.get("extensions", {}).get(ABORT)
            connection = _Stream(services, listener, context, abort, send)
            client = client_named(dict(scope["headers"]))
            session = session_of(scope, services.clock, context.actor, Transport.EVENT_STREAM, client)
            services.connections.add(connection, session)
            # The caller was known before the rest of the request had come; from now on a change of the key is heard.
            connection.doubt()
            try:
                await connection.serve(subscriber, receive)
            finally:
                services.connections.remove(connection)
                await connection.finish()
                subscriber.close()


class _Stream(Connection):
    """One subscription on its way to one client."""

    def __init__(self, services: Services, listener: Listener, context: Context, abort: Any, send: Send) -> None:
        super().__init__(services.connections, listener.known, context.actor, abort)
        self._services = services
        self._send = send
        self._request_id = context.request_id
        self._delivering: asyncio.Task[None] | None = None
        self._is_complete = False
        self._is_native = listener.is_native

    async def serve(self, subscriber: Subscriber, receive: Receive) -> None:
        """Send events until the client leaves or the connection ends."""
        await _start(self._send)
        await self._write(_BEAT)
        if self._is_native and subscriber.cursor is not None:
            # An event without data is one that the browser keeps to itself, with the place that it will resume from.
            await self._write(f"id: {subscriber.cursor}\n\n".encode())
        self._delivering = self._started(self._deliver(subscriber))
        if self.ending is not None:
            self._delivering.cancel()
        beating, watching = self._started(self._beat()), self._started(_left(receive))
        await asyncio.wait([self._delivering, watching], return_when=asyncio.FIRST_COMPLETED)
        beating.cancel()
        if watching.done():
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                # Without `complete`, so that the client comes back, unless it is.
                await _body(self._send, _COMPLETE if self._is_complete else b"", more=False)
        except TimeoutError:
            self.abort()

    def close(self, ending: Ending) -> None:
        if ending is SESSION_ENDED:
            self._is_complete = True
        if self._delivering is not None:
            self._delivering.cancel()

    async def _deliver(self, subscriber: Subscriber) -> None:
        try:
            while True:
                item = await subscriber.next()
                await self._services.pace_item(self.actor)
                if self.doubtful or self.actor.expires_at is not None:
                    await self.cleared()
                if self.ending is not None:
                    return
                await self._write(b"".join(map(_next, (item, *subscriber.ready()))))
        except CursorExpired as error:
            await self._write(_failed([errors.entry(error.message, error.code)]))
            self._is_complete = True
        except OSError:
            pass  # the client is gone
        except Exception as error:
            log.error("operation failed", request_id=self._request_id, exc_info=error)
            await self._write(_failed([errors.internal()]))
            self._is_complete = True

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._services.connections.limits.heartbeat_seconds)
            await self._write(_BEAT)

    async def _write(self, frame: bytes) -> None:
        await self.written(_body(self._send, frame))


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _start(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})


async def _body(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


def _next(item: Item) -> bytes:
    cursor = item.cursor
    place = "" if cursor is None else f"id: {cursor}\n"
    return f"event: next\n{place}data: {item.text}\n\n".encode()


def _failed(entries: Sequence[errors.Entry]) -> bytes:
    return _next(Item(orjson.dumps({"errors": entries}).decode()))
