"""One HTTP connection: uvicorn's, with limits, and requests that can cut it."""

import asyncio
from collections.abc import Iterable
from time import perf_counter
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.http.accepting import LONGEST_STALL, Left
from app.http.config import Config
from app.http.cycle import ANSWER, Cycle, Fields
from app.http.intake import Intake, PacedTransport
from app.live.connections import ABORT, CLOSE_SECONDS

LONGEST_HEAD = 65_536
"""The most bytes of a request line with its headers."""

SLOWEST_REQUEST = 30.0
"""The most seconds from a request's first byte to its last, and from a connection to its first request."""

LAST_REQUEST = 1.0
"""Seconds for which a server that stops waits for a request whose connection is there already."""

GRACE = 0.05
"""Seconds for which the request of a client that has left may still run. Most end in it by themselves, which costs less
than to end them: PostgreSQL is told to stop over a new connection."""


class HttpProtocol(HttpToolsProtocol):
    """Requests can cut their connection. A head that has no end, a request that never comes or never comes whole, and
    an answer that is not taken are cut off: uvicorn would hold them for as long as the client likes. The request of a
    client that has left is cancelled; a command that has begun finishes all the same."""

    config: Config
    _head: int | None = None  # bytes so far of a head that is not complete
    _refused = False
    _is_whole = True  # what has come of the latest request, none to begin with
    _too_slow: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _answering: tuple[Cycle, asyncio.Task[Any]] | None = None
    _extensions: dict[str, Any] | None = None
    _idle_since: float | None = None
    _has_answered = False
    _is_last = False

    def __init__(self, left: Left, **given: Any) -> None:
        super().__init__(**given)
        self._left = left

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._intake = Intake(self.config.pacing, transport, self._parse, self._left)
        super().connection_made(cast("asyncio.Transport", PacedTransport(transport, self._intake)))
        self._too_slow = self.loop.call_later(SLOWEST_REQUEST, transport.abort)

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            self._intake.take(data)

    def _parse(self, data: bytes) -> None:
        if self._refused or self.parser is None:
            return
        before = None if self._is_whole or self._head is not None else self.cycle
        super().data_received(data)
        if self._head is not None:
            self._head += len(data)
            if self._head > LONGEST_HEAD:
                self.send_400_response("The head of the request is too long.")
        if not self._is_whole and self._too_slow is None:
            self._too_slow = self.loop.call_later(SLOWEST_REQUEST, self.transport.abort)
        if self._is_whole or self._head is not None or self.cycle is None:
            self._intake.body_left = 0
        elif self.cycle is before:
            self._intake.body_left = max(self._intake.body_left - len(data), 0)
        else:
            # Nothing of this body was read yet: the application runs later.
            self._intake.body_left = max(_length_of(self.headers) - len(self.cycle.body), 0)

    def send_400_response(self, msg: str) -> None:
        if self._refused:
            return
        self._refused = True
        self._intake.drop()
        head = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
        self.transport.write(f"{head}content-length: {len(msg)}\r\n\r\n{msg}".encode())
        # What the client still sends is read and dropped: a connection that is closed with something unread is reset,
        # and the client would lose the answer.
        self.transport.write_eof()
        self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def handle_websocket_upgrade(self) -> None:
        super().handle_websocket_upgrade()
        self.parser: Any = None
        self._forget()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._extensions is None:
            self._extensions = {ABORT: self.transport.abort, ANSWER: self._answer}
        scope: Any = self.scope
        scope["extensions"] = self._extensions
        self._head = 0
        self._is_whole = False
        if self._too_slow is not None:
            self._in_time()

    def on_headers_complete(self) -> None:
        self._head = None
        super().on_headers_complete()
        if self._is_last and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        self._is_whole = True
        if self._too_slow is not None:
            self._in_time()
        super().on_message_complete()

    def shutdown(self) -> None:
        """Close the connection when its request is answered, at once when none is on its way."""
        self._is_last = True
        is_answered = self.cycle is None or self.cycle.response_complete
        if is_answered and (self._intake.is_due or not self._is_whole):
            # Its client has no reason to send it again: uvicorn would close the connection under the request.
            self.loop.call_later(LAST_REQUEST, super().shutdown)
        else:
            super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_time()
        self._taken()
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        self._intake.end(self._has_answered)
        super().connection_lost(exc)
        if self._answering is not None:
            cycle, task = self._answering
            if not cycle.response_complete:
                cycle.disconnected = True  # uvicorn says so to the latest request alone, not to one before it
                self.loop.call_later(GRACE, task.cancel)
        self._forget()

    def _forget(self) -> None:
        """Let go of all that leads back here: what is free at once is nothing that the garbage collector looks for."""
        self._answering = None
        self._extensions = None
        self.pipeline.clear()
        self.scope: Any = None
        self.cycle: Any = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # Before anything of it runs: uvicorn has no place for a class of ours.
        cycle.__class__ = Cycle
        assert isinstance(cycle, Cycle)
        if self.config.watched:
            cycle.watched_from = perf_counter()
        task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)
        self._answering = (cycle, task)

    def _answer(self, status: int, fields: Fields, body: bytes) -> bool:
        return self._answering is not None and self._answering[0].answer(status, fields, body)

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        self._has_answered = True
        if self.transport.is_closing():
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        # A timer that runs already is left alone: to cancel one and start another costs each request as much as its
        # parsing.
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        self._taken()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            self._watch()
            super().timeout_keep_alive_handler()

    def _watch(self) -> None:
        self._taken()
        if left := self.transport.get_write_buffer_size():
            self._stalled = self.loop.call_later(LONGEST_STALL, self._look, left)

    def _look(self, before: int) -> None:
        if self.transport.get_write_buffer_size() < before:
            self._watch()
        else:
            self.transport.abort()

    def _taken(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _in_time(self) -> None:
        if self._too_slow is not None:
            self._too_slow.cancel()
            self._too_slow = None


def _length_of(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """The length of a body as its head tells it, 0 where it does not."""
    return next((int(value) for name, value in headers if name == b"content-length"), 0)
