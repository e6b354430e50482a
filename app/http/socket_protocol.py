"""uvicorn's WebSocket connections, which can be cut and written to straight."""

import logging
from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode
from websockets.protocol import State

from app.http.config import Config
from app.http.intake import Intake
from app.live.connections import ABORT, WRITE

SOCKET_LOG = "uvicorn.websocket"
"""The logger of WebSocket handshakes, which are entries of the access log, and of what fails in sockets."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Sockets can cut their connection: a close would wait for a client that reads nothing. And they can write texts
    without all that is around a `send`, which would be most of what a delivery costs."""

    config: Config
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
        self._intake.end(was_answered=True)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._intake.take(data)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        # That closes once everything is sent: never, to a client that has lost its power with something to take.
        self.loop.call_later(self.config.close_seconds, self.transport.abort)

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
            if self.handshake_complete and self.request.headers:
                # A socket lasts, and what its handshake said takes as much memory as the rest of it.
                self.request.headers.clear()
                self.response.headers.clear()
        except RuntimeError:
            # The socket was closed on its own account, which its application learns later.
            if self.close_sent:
                raise ClientDisconnected from None
            raise

    async def run_asgi(self) -> None:
        extensions: Any = self.scope["extensions"]
        extensions[ABORT] = self.transport.abort
        extensions[WRITE] = self.write_texts
        try:
            await super().run_asgi()
        finally:
            extensions.clear()  # they lead back here

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
