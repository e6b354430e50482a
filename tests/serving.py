"""The real server in a thread of the test, and clients that speak its protocols frame by frame."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from threading import Thread
from typing import Any

import orjson
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from app.http.server import Server, server_config
from app.settings import Settings

PROTOCOL = Subprotocol("graphql-transport-ws")
PATIENCE = 60.0
"""Seconds that anything may take; only a failing test takes them, so a busy machine has all that it needs."""


async def eventually(condition: Callable[[], bool], pause: float = 0.01) -> None:
    """Wait until it holds. Between two looks, which may be dear, are so many seconds."""
    for _ in range(int(PATIENCE / pause)):
        if condition():
            return
        await asyncio.sleep(pause)
    raise AssertionError("it never came to be")


class Served:
    """A running server."""

    def __init__(self, app: Starlette, settings: Settings) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/graphql"
        self.config = server_config(app, settings)
        self.server = Server(self.config)
        self._thread = Thread(target=self.server.run, kwargs={"sockets": [self.listener]}, daemon=True)

    async def start(self) -> None:
        self._thread.start()
        async with asyncio.timeout(PATIENCE):
            # It counts as started a moment before its doors are there.
            while not (self.server.started and self.server.servers):
                assert self._thread.is_alive(), "the server did not start"
                await asyncio.sleep(0.005)

    @property
    def running(self) -> int:
        """How many subscriptions it answers."""
        found: int = self.server.lifespan.state["services"].subscriptions.running
        return found

    def limit(self, **limits: Any) -> None:
        """Change limits of its connections, of those that are asked for anew each time."""
        connections = self.server.lifespan.state["services"].connections
        connections.limits = replace(connections.limits, **limits)

    async def tasks(self) -> int:
        """How many tasks its loop holds."""

        async def count() -> int:
            return len(asyncio.all_tasks()) - 1

        loop = self.server.servers[0].get_loop()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(count(), loop))

    def stop(self) -> None:
        """As a signal does."""
        self.server.should_exit = True

    async def stopped(self) -> None:
        await asyncio.to_thread(self._thread.join, PATIENCE)
        assert not self._thread.is_alive(), "the server did not stop"

    @asynccontextmanager
    async def socket(
        self, init: Mapping[str, Any] | None = None, *, begin: bool = True, **options: Any
    ) -> "AsyncIterator[Socket]":
        """A socket, by default after a successful `connection_init`."""
        async with open_socket(self.port, init, begin=begin, **options) as opened:
            opened.running = lambda: self.running
            yield opened


@asynccontextmanager
async def serving(app: Starlette, settings: Settings) -> AsyncIterator[Served]:
    served = Served(app, settings)
    await served.start()
    try:
        yield served
    finally:
        served.stop()
        await served.stopped()


@asynccontextmanager
async def open_socket(
    port: int, init: Mapping[str, Any] | None = None, *, begin: bool = True, query: str = "", **options: Any
) -> "AsyncIterator[Socket]":
    """A socket to the server at this port, by default after a successful `connection_init`."""
    options.setdefault("subprotocols", [PROTOCOL])
    url = f"ws://127.0.0.1:{port}/graphql?{query}"
    async with connect(url, compression=None, max_queue=None, close_timeout=1, **options) as connection:
        opened = Socket(connection)
        if begin:
            await opened.send(type="connection_init", payload={} if init is None else init)
            assert await opened.take() == {"type": "connection_ack"}
        yield opened


class Socket:
    """A client of graphql-transport-ws that sends what it is told, right or wrong.

    `running` counts the subscriptions of the server, where that can be asked."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.running: Callable[[], int] | None = None

    async def send(self, **message: Any) -> None:
        await self.connection.send(orjson.dumps(message).decode())

    async def subscribe(self, operation: str, query: str, **variables: Any) -> None:
        await self.send(id=operation, type="subscribe", payload={"query": query, "variables": variables})

    async def listen(self, operation: str, query: str, **variables: Any) -> None:
        """Subscribe, and be sure that the server listens."""
        running = self.running
        assert running is not None
        wanted = running() + 1
        await self.subscribe(operation, query, **variables)
        await eventually(lambda: running() == wanted)

    async def take(self, *, pings: bool = False) -> dict[str, Any]:
        """The next message; the server's pings are passed over unless they are asked for."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found: dict[str, Any] = orjson.loads(await self.connection.recv())
                if pings or found["type"] != "ping":
                    return found

    async def data(self, operation: str) -> Any:
        """The data of the next message, which must be one of this operation."""
        message = await self.take()
        assert (message["type"], message["id"]) == ("next", operation), message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]

    async def silent(self, seconds: float = 0.1) -> bool:
        """Whether nothing comes for a while."""
        try:
            async with asyncio.timeout(seconds):
                found = await self.take()
        except TimeoutError:
            return True
        raise AssertionError(found)

    async def closed(self) -> tuple[int, str]:
        """The code and the reason with which the server closes; messages before it are passed over."""
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionClosed):
                while True:
                    await self.connection.recv()
        assert self.connection.close_code is not None
        return self.connection.close_code, self.connection.close_reason or ""
