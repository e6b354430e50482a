"""One request and its response, with a fast path for complete responses."""

import asyncio
from time import perf_counter
from typing import Any

from starlette.types import Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

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
    _status = 0

    watched_from = 0.0
    """By `perf_counter`, when it began to wait for its turn; 0 where nobody watches."""

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
        self._status = status
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
                await app(self.scope, self.receive, self._send_watched if self.watched_from else self.send)
            except BaseException as error:
                if self.disconnected and isinstance(error, asyncio.CancelledError):
                    return  # nobody waits for an answer, and uvicorn would log it as a failure
                failure = error
            if failure is not None or not self.response_complete:
                # What that means is for uvicorn to say.
                await super().run_asgi(_ended(failure))
        finally:
            self.on_response = _nothing  # it leads back here
            if self.watched_from:
                self._end()

    async def _send_watched(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        await self.send(message)

    def _end(self) -> None:
        """Tell the watchers of the request, which has ended."""
        scope = self.scope
        state = scope["state"]
        services, trail = state.get("services"), state.get("trail")
        if services is None or trail is None:
            return  # it was answered before anything of ours began
        trail.transport, trail.status = _transport(trail.kind, scope), self._status
        trail.seconds = perf_counter() - self.watched_from
        for watcher in services.watchers:
            watcher(trail, scope)


def _transport(kind: str | None, scope: Any) -> str:
    if kind is None:
        return "graphql" if scope["path"] == "/graphql" else "other"
    return "stream" if kind == "subscription" else "rest" if kind == "rest" else "graphql"


def _nothing() -> None:
    """Nobody waits for the end of the answer any more."""


def _ended(failure: BaseException | None) -> Any:
    async def app(*_: object) -> None:
        if failure is not None:
            raise failure

    return app
