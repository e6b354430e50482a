"""Connections are let in a few at a time, those of each address in turn."""

import asyncio
import errno
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any

import pytest

from app.http import accepting
from app.http.accepting import AT_ONCE, EACH_TICK, Door
from tests.serving import Served, eventually

pytestmark = pytest.mark.anyio

NEVER = 3_600.0


class Protocol(asyncio.Protocol):
    """Notes its transport."""

    def __init__(self, made: list[asyncio.BaseTransport]) -> None:
        self._made = made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._made.append(transport)


class Clients:
    """A door, and clients of it."""

    def __init__(self, opened: ExitStack) -> None:
        self.transports: list[Any] = []
        self.listener = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.door = Door(self.listener, lambda: Protocol(self.transports))
        self._opened = opened

    @property
    def made(self) -> list[str]:
        """The addresses of which connections were set up, in order."""
        return [each.get_extra_info("peername")[0] for each in self.transports]

    async def end(self) -> None:
        """Close everything of the server's."""
        self.door.close()
        for each in self.transports:
            each.abort()
        await asyncio.sleep(0.01)

    def connect(self, number: int = 1, address: str = "127.0.0.1") -> list[socket.socket]:
        """So many clients of an address."""
        place = self.listener.getsockname()
        return [
            self._opened.enter_context(socket.create_connection(place, source_address=(address, 0)))
            for _ in range(number)
        ]

    async def tick(self) -> None:
        """What the time does."""
        self.door._next_tick()
        await self.quiet()

    async def quiet(self) -> None:
        """Wait until all is done that does not wait for a tick."""
        before: Any = None
        for _ in range(1_000):
            await asyncio.sleep(0)
            await asyncio.sleep(0.002)
            now = (len(self.made), self.door.made, self.door.waiting)
            if now == before and len(self.made) == self.door.made:
                return
            before = now
        raise AssertionError("it never comes to rest")


@pytest.fixture
async def those(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Clients]:
    monkeypatch.setattr(accepting, "TICK", NEVER)
    with ExitStack() as opened:
        clients = Clients(opened)
        yield clients
        await clients.end()


async def test_door_sets_up_few_connections_in_a_tick(those: Clients) -> None:
    those.connect(3 * EACH_TICK)
    await those.quiet()
    assert (len(those.made), those.door.waiting) == (EACH_TICK, 2 * EACH_TICK)
    await those.tick()
    assert (len(those.made), those.door.waiting) == (2 * EACH_TICK, EACH_TICK)
    await those.tick()
    those.connect(1)
    await those.quiet()
    assert (len(those.made), those.door.waiting) == (3 * EACH_TICK, 1)


async def test_door_lets_addresses_in_in_turn(those: Clients) -> None:
    those.connect(3 * EACH_TICK)
    await those.quiet()
    those.connect(2, "127.0.0.2")
    await those.quiet()
    assert set(those.made) == {"127.0.0.1"}
    await those.tick()
    assert those.made[EACH_TICK:].count("127.0.0.2") == 2


async def test_door_sets_up_nothing_for_clients_that_have_left(those: Clients) -> None:
    gone = those.connect(EACH_TICK + 2 * AT_ONCE)[EACH_TICK:]
    await those.quiet()
    for each in gone:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        each.close()
    those.connect(1, "127.0.0.2")
    await those.quiet()
    for waiting in (AT_ONCE, 0):
        await those.tick()
        # The one that is there is the second of them, behind the first of those that have left.
        assert those.made[EACH_TICK:] == ["127.0.0.2"]
        assert abs(those.door.waiting - waiting) <= 1
    await those.tick()
    assert those.door.waiting == 0
    assert those.door.made == EACH_TICK + 1


async def test_door_lets_the_system_hold_what_is_too_much(those: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accepting, "MOST_WAITING", AT_ONCE)
    number = 5 * AT_ONCE
    those.connect(number)
    await those.quiet()
    most = 0
    while those.door.waiting:
        most = max(most, those.door.waiting)
        await those.tick()
    assert most < 2 * AT_ONCE
    assert len(those.made) == number


async def test_door_tries_again_when_there_are_no_more_files(those: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = 0

    class Full:
        def accept(self) -> None:
            nonlocal tried
            tried += 1
            raise OSError(errno.EMFILE, "Too many open files")

        def fileno(self) -> int:
            return those.listener.fileno()

    monkeypatch.setattr(accepting, "RETRY", NEVER)
    monkeypatch.setattr(those.door, "_listener", Full())
    those.connect(1)
    await those.quiet()
    await those.quiet()
    assert tried == 1
    monkeypatch.undo()
    those.door._try_again()
    await eventually(lambda: those.made == ["127.0.0.1"])


async def test_door_that_is_closed_lets_nobody_in(those: Clients) -> None:
    waiting = those.connect(2 * EACH_TICK)
    await those.quiet()
    those.door.close()
    those.door.close()
    await those.door.wait_closed()
    assert (len(those.made), those.door.waiting) == (EACH_TICK, 0)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(waiting[0].getpeername())
    left = 0
    for each in waiting:
        each.setblocking(False)
        try:
            left += each.recv(1) == b""
        except ConnectionResetError:
            left += 1
        except BlockingIOError:
            pass
    assert left == EACH_TICK


async def test_connections_of_a_server_send_what_is_little_at_once(sqlite_served: Served) -> None:
    door: Any = sqlite_served.server.servers[0]
    before = door.made
    async with sqlite_served.socket(begin=False):
        assert door.made == before + 1
        (connection,) = sqlite_served.server.server_state.connections
        transport: Any = connection
        socket_of = transport.transport.get_extra_info("socket")
        assert socket_of.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
