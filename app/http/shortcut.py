"""Dispatches `/graphql` past the router and the middleware."""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.ids import Ids
from app.http.compression import SMALLEST, Compression
from app.http.cycle import ANSWER, Whole, send_whole
from app.http.request_id import HEADER, identified
from app.http.watching import Noting
from app.rest.headers import Headers

OF_PAGES = frozenset((b"origin",))
FORWARDED = OF_PAGES | {b"x-forwarded-for", b"x-forwarded-proto"}
"""The headers in requests that uvicorn has to see first, as a proxy may have sent them."""


class Answers(Protocol):
    """What is at the end of the shortcut."""

    def streams(self, headers: Headers) -> bool:
        """Whether a request with these headers may get a stream, and not a whole answer."""

    def answer(self, scope: Scope, headers: Headers, receive: Receive) -> Coroutine[Any, Any, Whole | None]:
        """The answer of a request that may get no stream. It raises nothing."""


class Shortcut:
    """In front of an application: has the HTTP requests of one path answered straight, but for those that get a stream
    and those with a header of `others`, such as pages send, to which CORS applies.

    An answer gets an id and is compressed as by the layers of that application. The router would look at each route in
    turn, and each layer takes part in both messages of an answer: together they would cost a read as much as its
    statement. Behind a prefix the router finds the way."""

    def __init__(
        self,
        app: ASGIApp,
        path: str,
        to: Answers,
        ids: Ids,
        compression: Compression | None,
        noting: Noting,
        others: frozenset[bytes] = OF_PAGES,
    ) -> None:
        self._app = app
        self._others = others
        self._path = path
        self._to = to
        self._ids = ids
        self._noting = noting
        self._compression = compression

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == self._path and not scope.get("root_path"):
            headers: Headers = dict(scope["headers"])
            if self._others.isdisjoint(headers) and not self._to.streams(headers):
                await self._straight(scope, headers, receive, send)
                return
        await self._app(scope, receive, send)

    async def _straight(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        request_id = identified(scope, headers.get(HEADER), self._ids, self._noting)
        found = await self._to.answer(scope, headers, receive)
        assert found is not None
        status, fields, body = found
        fields.append((HEADER, request_id))
        if len(body) >= SMALLEST and self._compression is not None and self._compression.takes(scope, headers, body):
            send = self._compression.around(scope, send)
        else:
            at_once = scope.get("extensions", {}).get(ANSWER)
            if at_once is not None and at_once(status, fields, body):
                return
        await send_whole(scope, send, found)


class Application(Starlette):
    """With a shortcut in front of all its layers. `in_front` makes one before an application, for all requests but
    those with one of these headers."""

    def __init__(self, in_front: Callable[[ASGIApp, frozenset[bytes]], ASGIApp], **options: Any) -> None:
        super().__init__(**options)
        self.in_front = in_front

    def build_middleware_stack(self) -> ASGIApp:
        return self.in_front(super().build_middleware_stack(), OF_PAGES)
