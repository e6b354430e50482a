"""One request and its response, with a fast path for complete responses."""

import asyncio
from collections.abc import Coroutine
from time import perf_counter, time
from typing import Any

from starlette.types import Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from app.http.watching import Answered

ANSWER = "switchboard.answer"
"""The extension by which a request's scope has `Cycle.answer`, where the server has that."""

Fields = list[tuple[bytes, bytes]]

Whole = tuple[int, Fields, bytes]
"""An answer: status, headers, body."""


async def send_whole(scope: Scope, send: Send, answer: Whole) -> None:
    """Send the answer in the usual way; to a HEAD without its body."""
    status, fields, body = answer
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


class Cycle(RequestResponseCycle):
    """Writes an answer that is whole at once, and ends quietly when its client has left."""

    _given = False  # whether the last of the body was
    _is_watched = False

    def answer(self, status: int, fields: Fields, body: bytes) -> bool:
        """Write the whole answer, unless it has to be sent in the usual way: then nothing happens, and this is False.

        The fields are the server's own, in lower case and with a content-length: they are not looked through."""
        if (
            self.response_started
            or self.disconnected
            or self.flow.write_paused
            or self.access_log
            or self.scope["method"] == "HEAD"
        ):
            return False
        self.response_started = self.response_complete = True
        parts = [STATUS_LINE[status]]
        parts += [b"%b: %b\r\n" % field for field in self.default_headers]
        parts += [b"%b: %b\r\n" % field for field in fields]
        parts.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        parts.append(body)
        self.transport.write(b"".join(parts))
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
        return True

    async def receive(self) -> Any:
        # Nearly always all has come before it is asked for, and there is nothing to wait for.
        if (
            self.more_body
            or self._given
            or self.disconnected
            or self.response_complete
            or self.waiting_for_100_continue
            or self.flow.read_paused
        ):
            message: Any = await super().receive()
            self._given = self._given or not message.get("more_body", False)
            return message
        self._given = True
        self.message_event.clear()
        return {"type": "http.request", "body": bytes(self.body), "more_body": False}

    async def run_asgi(self, app: Any) -> None:
        failure: BaseException | None = None
        try:
            try:
                await app(self.scope, self.receive, self.send)
            except BaseException as error:
                if self.disconnected and isinstance(error, asyncio.CancelledError):
                    return  # nobody waits for an answer, and uvicorn would log it as a failure
                failure = error
            if failure is not None or not self.response_complete:
                # What that means is for uvicorn to say.
                await super().run_asgi(_ended(failure))
        finally:
            self.on_response = _nothing  # it leads back here
            if self._is_watched:
                self._end()

    def _end(self) -> None:
        """The request has ended."""


class WatchedCycle(Cycle):
    """One whose end is told to the watchers of the application."""

    _is_watched = True
    _status = 0
    _began = 0.0
    _from = 0.0

    def answer(self, status: int, fields: Fields, body: bytes) -> bool:
        self._status = status
        return super().answer(status, fields, body)

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        await super().send(message)

    def run_asgi(self, app: Any) -> Coroutine[Any, Any, None]:
        self._began, self._from = time(), perf_counter()
        return super().run_asgi(app)

    def _end(self) -> None:
        tell(self.scope, self._status, self._began, perf_counter() - self._from)


def tell(scope: Any, status: int, began: float, seconds: float) -> None:
    """Tell the watchers of a request that has ended."""
    state = scope["state"]
    services, trail = state.get("services"), state.get("trail")
    if services is None or trail is None:
        return  # it was answered before anything of ours began
    transport = "stream" if trail.kind == "subscription" else "rest" if trail.kind == "rest" else "graphql"
    if trail.kind is None and scope["path"] != "/graphql":
        transport = "other"
    address = (scope.get("client") or ("",))[0]
    # What is in the path of a contract may be somebody's telephone number, or hard to guess.
    path = trail.operation.partition(" ")[2] if transport == "rest" else scope["path"]
    answered = Answered(trail, transport, scope["method"], path, address, status, began, seconds)
    for watcher in services.watchers:
        watcher(answered)


def _nothing() -> None:
    """Nobody waits for the end of the answer any more."""


def _ended(failure: BaseException | None) -> Any:
    async def app(*_: object) -> None:
        if failure is not None:
            raise failure

    return app
