"""The server process: uvicorn, with streams that end when it stops."""

import asyncio
import logging
import socket
from contextlib import suppress
from functools import partial
from typing import Any, cast

import uvicorn

from app.http.accepting import EACH_TICK, FEWEST_EACH_TICK, Door
from app.http.addresses import Addresses, most_connections, proxies_of
from app.http.config import Config
from app.http.http_protocol import HttpProtocol
from app.http.pace import BUSY, Allowance
from app.http.services import Services
from app.http.socket_protocol import SOCKET_LOG, WebSocketProtocol
from app.settings import Settings

_TICK_SECONDS = 1.0
_TICKS_OF_UVICORN = 10  # in that time


class Server(uvicorn.Server):
    """Lets connections in through doors of ours. Ends the streams first when it stops: uvicorn would wait for them, and
    close sockets that have an answer due."""

    config: Config
    _exits = False
    _loop: asyncio.AbstractEventLoop | None = None

    @property
    def should_exit(self) -> bool:
        """Whether it ends; set by uvicorn's handler of signals, or from any thread."""
        return self._exits

    @should_exit.setter
    def should_exit(self, exits: bool) -> None:
        self._exits = exits
        if exits and self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._ending.set)

    async def main_loop(self) -> None:
        """Tick once a second, and end at once when it has to. Uvicorn ticks ten times as often: half of what an idle
        server does."""
        self._ending = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += _TICKS_OF_UVICORN
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_SECONDS):
                    await self._ending.wait()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        state, loaded = self.server_state, self.lifespan.state
        protocol = partial(HttpProtocol, config=self.config, server_state=state, app_state=loaded)
        addresses = Addresses(most_connections(), self.config.proxies)
        for listener in sockets or ():
            allowance = Allowance(FEWEST_EACH_TICK, EACH_TICK, BUSY)
            self.servers.append(cast("Any", Door(listener, protocol, addresses, allowance)))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        services: Services | None = self.lifespan.state.get("services")
        if services is not None:
            doors = cast("list[Door]", self.servers)
            await asyncio.gather(*(door.finish() for door in doors))  # nobody new meanwhile
            await services.connections.stop()
        await super().shutdown(sockets=sockets)


def server_config(app: Any, settings: Settings) -> Config:
    """How we run uvicorn."""
    logging.getLogger(SOCKET_LOG).setLevel("INFO" if settings.access_log else "WARNING")
    return Config(
        app,
        loop="uvloop",
        http=HttpProtocol,
        ws=WebSocketProtocol,
        lifespan="on",
        access_log=False,  # its lines know neither operation nor caller; ours do
        watched=settings.watches,
        log_config=None,
        server_header=False,
        ws_max_size=settings.max_body_bytes,
        ws_per_message_deflate=settings.websocket_compression,
        timeout_keep_alive=settings.keep_alive,
        proxies=proxies_of(settings.trusted_proxies),
        timeout_graceful_shutdown=settings.shutdown_grace,
    )
