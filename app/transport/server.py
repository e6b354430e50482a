"""The server process: uvicorn, with streams that end when it stops and connections that can be cut."""

import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from app.settings import Settings
from app.transport.connections import ABORT
from app.transport.services import Services


class HttpProtocol(HttpToolsProtocol):
    """Requests can cut their connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: Any = self.scope
        extensions["extensions"] = {ABORT: self.transport.abort}


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Sockets can cut their connection: a close would wait for a client that reads nothing."""

    async def run_asgi(self) -> None:
        extensions: Any = self.scope["extensions"]
        extensions[ABORT] = self.transport.abort
        await super().run_asgi()


class Server(uvicorn.Server):
    """Ends the streams first when it stops: uvicorn would wait for them."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        services: Services | None = self.lifespan.state.get("services")
        if services is not None:
            services.connections.stop()
        await super().shutdown(sockets=sockets)


def server_config(app: Any, settings: Settings) -> uvicorn.Config:
    """How we run uvicorn."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=HttpProtocol,
        ws=WebSocketProtocol,
        lifespan="on",
        access_log=settings.access_log,
        log_config=None,
        server_header=False,
        ws_max_size=settings.max_body_bytes,
        # Compression would cost every listener memory and every delivery time, for messages that are small.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=settings.shutdown_grace,
    )
