"""The beginning of a GraphQL WebSocket: who may open one, and `connection_init`."""

import asyncio
from functools import partial
from urllib.parse import urlsplit

import orjson
from starlette.types import Receive, Scope, Send

from app.core.actor import Actor
from app.core.errors import RateLimited, Unauthenticated, Unavailable
from app.core.sessions import Transport
from app.execution import errors
from app.http.cors import refused_origin
from app.http.frames import (
    INIT_TIMEOUT,
    INVALID,
    NOT_ACCEPTABLE,
    PROTOCOL,
    UNAUTHORIZED,
    Closed,
    client_given,
    close,
    key_given,
    read_message,
    text_of,
)
from app.http.services import Services, request_id_of, services_of
from app.http.sessions import session_of
from app.http.websocket import Socket
from app.live.connections import FORBIDDEN, TRY_LATER, Ending
from app.live.places import Place
from app.rest.headers import Headers

FORMS = (
    'Unauthorized: connection_init takes {"authorization": "Bearer <key>"} or {"x-api-key": "<key>"}, also in "headers"'
)
"""Says how a key is given; it fits into the reason of a close."""

_RETRY_AFTER = 5


class GraphQLOverWebSocket:
    """The endpoint."""

    def __init__(self, *, allowed_origins: tuple[str, ...]) -> None:
        self._allowed_origins = allowed_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        headers: dict[bytes, bytes] = dict(scope["headers"])
        services = services_of(scope)
        client = scope.get("client")
        place = services.connections.strangers.take(None if client is None else client[0])
        if place is None:
            await _refuse_stranger(send)
            return
        with place:
            await self._begin(services, scope, headers, receive, send, place)

    async def _begin(
        self, services: Services, scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send, place: Place
    ) -> None:
        protocol = PROTOCOL if PROTOCOL in scope["subprotocols"] else None
        await send({"type": "websocket.accept", "subprotocol": protocol})
        if not origin_is_allowed(headers, self._allowed_origins):
            # Accepted first, because a browser hides the answer to an upgrade from its page. No client comes back
            # by itself after this code.
            await close(send, Ending(INVALID, refused_origin(headers[b"origin"].decode("latin-1"))))
            return
        if protocol is None:
            await close(send, Ending(NOT_ACCEPTABLE, f"Subprotocol not acceptable: this server speaks {PROTOCOL}"))
            return
        try:
            async with services.connections.feed.held():
                await _serve(services, scope, headers, receive, send, place)
        except Unavailable:
            await close(send, Ending(TRY_LATER, "Try again later"))
        except OSError:
            pass  # the client is gone


def origin_is_allowed(headers: Headers, allowed: tuple[str, ...]) -> bool:
    """Whether the page that opens the socket is one of ours or of an allowed origin; programs send no origin."""
    given = headers.get(b"origin")
    if given is None or "*" in allowed:
        return True
    origin = given.decode("latin-1").rstrip("/").lower()
    host = headers.get(b"host", b"").decode("latin-1").lower()
    return urlsplit(origin).netloc == host or origin in allowed


async def _refuse_stranger(send: Send) -> None:
    """Refuse the upgrade itself, which costs the least; clients take that for a broken network, and wait longer each
    time."""
    message = "Too many sockets of this address wait to be admitted."
    body = orjson.dumps({"errors": [errors.entry(message, RateLimited.code, retry_after=_RETRY_AFTER)]})
    await send(
        {
            "type": "websocket.http.response.start",
            "status": 429,
            "headers": [(b"content-type", b"application/json"), (b"retry-after", str(_RETRY_AFTER).encode())],
        }
    )
    await send({"type": "websocket.http.response.body", "body": body})


async def _serve(
    services: Services, scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send, stranger: Place
) -> None:
    """From the opened socket to its end."""
    connections = services.connections
    place = None
    try:
        try:
            key, client, actor = await _known(services, headers, receive, send)
            if actor is None:
                return
            place = connections.sockets.take(actor.caller)
            if place is None:
                raise Closed(TRY_LATER, f"This user has {connections.sockets.each:,} sockets and streams open")
        except Closed as closed:
            await close(send, closed.ending)
            return
        stranger.leave()
        await send(text_of("connection_ack"))
        known = partial(services.keys.actor_of, key)
        extensions = scope.get("extensions", {})
        socket = Socket(services, known, actor, extensions, receive, send, request_id_of(scope), client)
        connections.add(socket, session_of(scope, services.clock, actor, Transport.WEB_SOCKET, client))
        # A socket lasts, and what its handshake said is as large as the rest of it.
        headers.clear()
        scope["headers"] = []
        try:
            await socket.serve()
        finally:
            connections.remove(socket)
            await socket.finish()
    finally:
        if place is not None:
            place.leave()


async def _known(
    services: Services, headers: Headers, receive: Receive, send: Send
) -> tuple[str, str | None, Actor | None]:
    """Wait for `connection_init`: the caller's key, what its client is called, and who it is; nobody when the client
    has left. Raises Closed."""
    limits = services.connections.limits
    try:
        async with asyncio.timeout(limits.init_seconds):
            while True:
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    return "", None, None
                given = read_message(message, min(limits.message_bytes, limits.large_bytes))
                if given["type"] == "ping":
                    await send(text_of("pong", payload=given.get("payload")))
                elif given["type"] == "connection_init":
                    break
                elif given["type"] != "pong":
                    raise Closed(UNAUTHORIZED, "Unauthorized: connection_init comes first")
            key = key_given(given, headers)
            if not key:
                raise Closed(UNAUTHORIZED, FORMS)
            return key, client_given(given, headers), await services.keys.admitted(key)
    except TimeoutError:
        raise Closed(INIT_TIMEOUT, "Connection initialisation timeout") from None
    except Unauthenticated as error:
        # Clients come back by themselves after the first of these codes alone, and then with a fresh token.
        code = FORBIDDEN.code if error.has_expired else UNAUTHORIZED
        raise Closed(code, f"Unauthorized: {error.message}") from None
