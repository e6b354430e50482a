"""The server process: uvicorn, with streams that end when it stops and connections that can be cut."""

import asyncio
import logging
import socket
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode
from websockets.protocol import State

from app.http.intake import Intake, PacedTransport, Pacing
from app.http.services import Services
from app.live.connections import ABORT, CLOSE_SECONDS, WRITE
from app.settings import Settings

SOCKET_LOG = "uvicorn.websocket"
"""The logger of WebSocket handshakes, which are entries of the access log, and of what fails in sockets."""

LONGEST_HEAD = 65_536
"""The most bytes of a request line with its headers."""

SLOWEST_REQUEST = 30.0
"""The most seconds from a request's first byte to its last, and from a connection to its first request."""

GRACE = 0.05
"""Seconds for which the request of a client that has left may still run. Most end in it by themselves, which costs less
than to end them: PostgreSQL is told to stop over a new connection."""

LONGEST_STALL = 30.0
"""The most seconds in which a client may take nothing of an answer."""


class Config(uvicorn.Config):
    """With what all connections share."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self.pacing = Pacing()


class HttpProtocol(HttpToolsProtocol):
    """Requests can cut their connection. A head that has no end, a request that never comes or never comes whole, and
    an answer that is not taken are cut off: uvicorn would hold them for as long as the client likes. The request of a
    client that has left is cancelled; a command that has begun finishes all the same."""

    _head: int | None = None  # bytes so far of a head that is not complete
    _refused = False
    _too_slow: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _answering: tuple[RequestResponseCycle, asyncio.Task[Any]] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._intake = Intake(cast("Config", self.config).pacing, transport, self._parse)
        super().connection_made(cast("asyncio.Transport", PacedTransport(transport, self._intake)))
        self._too_slow = self.loop.call_later(SLOWEST_REQUEST, transport.abort)

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            self._intake.take(data)

    def _parse(self, data: bytes) -> None:
        if self._refused or self.parser is None:
            return
        super().data_received(data)
        if self._head is not None:
            self._head += len(data)
            if self._head > LONGEST_HEAD:
                self.send_400_response("The head of the request is too long.")

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

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: Any = self.scope
        extensions["extensions"] = {ABORT: self.transport.abort}
        self._head = 0
        self._in_time()
        self._too_slow = self.loop.call_later(SLOWEST_REQUEST, self.transport.abort)

    def on_headers_complete(self) -> None:
        self._head = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_time()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_time()
        self._taken()
        self._intake.drop()
        super().connection_lost(exc)
        if self._answering is not None:
            cycle, task = self._answering
            if not cycle.response_complete:
                cycle.disconnected = True  # uvicorn says so to the latest request alone, not to one before it
                self.loop.call_later(GRACE, task.cancel)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        super()._start_asgi_task(cycle, partial(self._answer, cycle, app))

    async def _answer(self, cycle: RequestResponseCycle, app: Any, scope: Any, receive: Any, send: Any) -> None:
        task = asyncio.current_task()
        assert task is not None
        answering = self._answering = (cycle, task)
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            if not cycle.disconnected:
                raise
            # Nobody waits for an answer, and uvicorn would log it as a failure.
        finally:
            if self._answering is answering:  # and not the next request of the connection
                self._answering = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        self._taken()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
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


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Sockets can cut their connection: a close would wait for a client that reads nothing. And they can write texts
    without all that is around a `send`, which would be most of what a delivery costs."""

    _failed = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn logs every handshake and every end, whether there is an access log or not.
        self.logger = self.conn.logger = logging.getLogger(SOCKET_LOG)
        self.conn.debug = False

    def connection_made(self, transport: Any) -> None:
        # Clients send nothing after the request for the upgrade until it is answered.
        self._intake: Intake = transport.intake
        self._intake.drop()
        self._intake.parse = super().data_received
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._intake.drop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._intake.take(data)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        # That closes once everything is sent: never, to a client that has lost its power with something to take.
        self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                # It ends as uvicorn would end it, but for an error in the log that anybody could cause.
                self.frames = []
                if self.handshake_complete:
                    self.conn.send_close(CloseCode.INVALID_DATA)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        if self.conn.close_sent is None:
            # Wrong frames that came before the upgrade was answered: there is no socket yet that could be closed.
            self._failed = True
            self.transport.abort()
            return
        super().handle_parser_exception()

    async def send(self, message: Any) -> None:
        if self._failed:
            raise ClientDisconnected
        try:
            await super().send(message)
        except RuntimeError:
            # The socket was closed on its own account, which its application learns later.
            if self.close_sent:
                raise ClientDisconnected from None
            raise

    async def run_asgi(self) -> None:
        extensions: Any = self.scope["extensions"]
        extensions[ABORT] = self.transport.abort
        extensions[WRITE] = self.write_texts
        await super().run_asgi()

    def write_texts(self, texts: Sequence[str]) -> bool:
        """Send a frame for each text, unless the socket is not open, compresses, or has too much to write already."""
        if (
            self.conn.extensions
            or not self.writable.is_set()
            or self.disconnected
            or self.close_sent
            or self.conn.state is not State.OPEN
        ):
            return False
        self.transport.write(b"".join([_frame(text.encode()) for text in texts]))
        return True


def _frame(text: bytes) -> bytes:
    length = len(text)
    if length < 126:
        return b"\x81%c%b" % (length, text)
    if length < 65_536:
        return b"\x81\x7e%b%b" % (length.to_bytes(2, "big"), text)
    return b"\x81\x7f%b%b" % (length.to_bytes(8, "big"), text)


class Server(uvicorn.Server):
    """Ends the streams first when it stops: uvicorn would wait for them, and close sockets that have an answer due."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        services: Services | None = self.lifespan.state.get("services")
        if services is not None:
            for server in self.servers:
                server.close()  # nobody new meanwhile
            await services.connections.stop()
        await super().shutdown(sockets=sockets)


def notice_the_vanished(listener: socket.socket) -> None:
    """End the connections of a client that is gone without a word (its power, its network): by itself TCP would repeat
    what it does not acknowledge for a quarter of an hour, and a stream would stay open as long. Where there is no such
    option, it does."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        # Accepted connections inherit it.
        listener.setsockopt(socket.IPPROTO_TCP, option, int(LONGEST_STALL * 1000))


def server_config(app: Any, settings: Settings) -> Config:
    """How we run uvicorn."""
    logging.getLogger(SOCKET_LOG).setLevel("INFO" if settings.access_log else "WARNING")
    return Config(
        app,
        loop="uvloop",
        http=HttpProtocol,
        ws=WebSocketProtocol,
        lifespan="on",
        access_log=settings.access_log,
        log_config=None,
        server_header=False,
        ws_max_size=settings.max_body_bytes,
        ws_per_message_deflate=settings.websocket_compression,
        timeout_keep_alive=settings.keep_alive,
        timeout_graceful_shutdown=settings.shutdown_grace,
    )
