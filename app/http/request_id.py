"""Assigns each request its id: the given X-Request-ID or a new one."""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.ids import Ids
from app.core.trail import follow
from app.http.watching import Noting
from app.rest.headers import header_of

HEADER = b"x-request-id"
TRACEPARENT = b"traceparent"

_USABLE = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def identified(scope: Scope, given: bytes | None, ids: Ids, noting: Noting) -> bytes:
    """The id of this request, which is in its state and in the logs from now on: the one given, if that is usable.

    `noting` is what is noted of it."""
    if given is not None and _USABLE.fullmatch(given):
        request_id, text = given, given.decode()
    else:
        text = ids.uuid()
        request_id = text.encode()
    # The state is the server's copy for this request.
    trail = noting.trail(text, header_of(scope, TRACEPARENT) if noting.traces else None)
    scope.setdefault("state", {}).update(request_id=text, trail=trail)
    follow(trail)
    return request_id


class RequestId:
    """Middleware over a whole application."""

    def __init__(self, app: ASGIApp, ids: Ids, noting: Noting) -> None:
        self._app = app
        self._noting = noting
        self._ids = ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = identified(scope, header_of(scope, HEADER), self._ids, self._noting)

        async def send_with_id(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                message["headers"] = [*message.get("headers", ()), (HEADER, request_id)]
            await send(message)

        await self._app(scope, receive, send_with_id)
