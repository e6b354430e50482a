"""Connections are let in a few at a time, those of each address in turn."""

import asyncio
import errno
import gc
import socket
import struct
import sys
import weakref
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any

import pytest

from app.core.short_turns import SHORT_TURN
from app.http import accepting
from app.http.accepting import AT_ONCE, EACH_TICK, FEWEST_EACH_TICK, REST, Door, Left
from app.http.addresses import HASTY, Addresses, proxies_of
from app.http.pace import BUSY, TICK, Allowance
from app.http.socket_protocol import WebSocketProtocol
from tests.kit.library_server import LIMITS
from tests.serving import PATIENCE, Served, eventually

pytestmark = pytest.mark.anyio

NEVER = 3_600.0
MOST = 1_000


class Protocol(asyncio.Protocol):
    """Notes its transport, and says at its end that nothing was answered."""

    def __init__(self, made: list[asyncio.BaseTransport], left: Left) -> None:
        self._made = made
        self._left = left

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._made.append(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._left(False)


class Clients:
    """A door, and clients of it. Its clocks are moved by the test."""

    def __init__(self, opened: ExitStack) -> None:
        self.transports: list[Any] = []
        self.listener = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.now = self.used = 0.0
        # All of this machine, but for the addresses that stand for others.
        self.addresses = Addresses(MOST, proxies_of(()), lambda: self.now)
        allowance = Allowance(FEWEST_EACH_TICK, EACH_TICK, BUSY, lambda: self.now, lambda: self.used)
        self.door = Door(self.listener, lambda left: Protocol(self.transports, left), self.addresses, allowance)
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

    async def tick(self, busy: float = 0.0) -> None:
        """What the time does; the loop was busy for such a part of it."""
        self.now += TICK
        self.used += TICK * busy
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


async def test_door_sets_up_fewer_connections_while_the_loop_is_busy(those: Clients) -> None:
    those.connect(3 * EACH_TICK)
    await those.quiet()
    found = []
    for busy in (1.0, 1.0, 1.0, 0.0, 0.0):
        before = len(those.made)
        await those.tick(busy)
        found.append(len(those.made) - before)
    assert found == [2, FEWEST_EACH_TICK, FEWEST_EACH_TICK, 2, 2]


async def test_door_has_threads_take_short_turns_while_the_loop_is_too_busy_for_all(those: Clients) -> None:
    usual = sys.getswitchinterval()
    assert usual > SHORT_TURN
    those.connect(1)
    await those.quiet()
    await those.tick(0.0)
    assert sys.getswitchinterval() == usual
    those.connect(1)
    await those.quiet()
    await those.tick(1.0)
    assert sys.getswitchinterval() == pytest.approx(SHORT_TURN)
    those.door.close()
    assert sys.getswitchinterval() == usual


async def test_door_sets_up_nothing_for_clients_that_have_left(those: Clients) -> None:
    gone = those.connect(EACH_TICK + AT_ONCE - EACH_TICK)[EACH_TICK:]
    await those.quiet()
    for number, each in enumerate(gone):
        if number % 2:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        each.close()
    await those.tick()
    those.connect(1, "127.0.0.2")
    await those.quiet()
    assert those.made[EACH_TICK:] == ["127.0.0.2"]
    assert (those.door.waiting, those.door.made) == (0, EACH_TICK + 1)


async def test_door_lets_connections_rest_where_one_has_left_without_an_answer(those: Clients) -> None:
    (hasty,) = those.connect(1)
    await those.quiet()
    hasty.close()
    await eventually(lambda: those.addresses.is_hasty("127.0.0.1"))
    those.connect(1)
    those.connect(1, "127.0.0.2")
    await those.quiet()
    assert those.made == ["127.0.0.1", "127.0.0.2"]
    for _ in range(REST - 1):
        await those.tick()
        assert len(those.made) == 2
    await those.tick()
    assert those.made == ["127.0.0.1", "127.0.0.2", "127.0.0.1"]
    those.now += HASTY
    those.connect(1)
    await those.quiet()
    assert len(those.made) == 4


async def test_door_accepts_few_connections_in_a_tick(those: Clients) -> None:
    those.connect(2 * AT_ONCE)
    await those.quiet()
    assert those.door.waiting + those.door.made == AT_ONCE
    await those.tick()
    assert those.door.waiting + those.door.made == 2 * AT_ONCE


async def test_door_lets_the_system_hold_what_is_too_much_of_a_proxy(
    those: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "MOST_WAITING", AT_ONCE)
    number = 5 * AT_ONCE
    those.connect(number)
    await those.quiet()
    most = 0
    while those.door.waiting:
        most = max(most, those.door.waiting)
        await those.tick()
    assert most < 2 * AT_ONCE
    assert (len(those.made), those.door.refused) == (number, 0)


async def test_door_closes_what_waits_of_an_address_beyond_its_share(
    those: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "MOST_WAITING", EACH_TICK)
    crowd = those.connect(AT_ONCE, "127.0.0.2")
    await those.quiet()
    share = EACH_TICK // 2
    assert (len(those.made), those.door.refused) == (share, AT_ONCE - share)
    crowd[-1].setblocking(True)
    assert crowd[-1].recv(1) == b""
    await those.tick()
    those.connect(1, "127.0.0.3")
    await those.quiet()
    assert those.made == ["127.0.0.2"] * share + ["127.0.0.3"]


async def test_door_closes_connections_of_an_address_that_has_its_share(those: Clients) -> None:
    for _ in range(MOST - 4):
        those.addresses.take("198.51.100.1")
    first = those.connect(3, "127.0.0.2")
    await those.quiet()
    assert (those.made, those.door.refused) == (["127.0.0.2"] * 2, 1)
    first[0].close()
    await eventually(lambda: those.addresses.admits("127.0.0.2"))
    await those.tick()
    those.connect(1, "127.0.0.2")
    await those.quiet()
    for _ in range(REST):
        await those.tick()
    assert (len(those.made), those.door.refused) == (3, 1)


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


async def test_door_that_finishes_sets_up_all_that_it_accepted(those: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    those.connect(2 * EACH_TICK)
    await those.quiet()
    monkeypatch.setattr(accepting, "TICK", 0.001)
    finishing = asyncio.create_task(those.door.finish())
    await asyncio.sleep(0)
    later = those.connect(1)
    await those.tick()
    await asyncio.wait_for(finishing, PATIENCE)
    await those.quiet()
    assert (len(those.made), those.door.waiting) == (2 * EACH_TICK, 0)
    # Its listener is open still, for other processes may have it too.
    accepted, place = those.listener.accept()
    accepted.close()
    assert place == later[0].getsockname()


async def test_door_that_is_closed_while_it_finishes_has_finished(those: Clients) -> None:
    those.connect(2 * EACH_TICK)
    await those.quiet()
    finishing = asyncio.create_task(those.door.finish())
    await asyncio.sleep(0)
    those.door.close()
    await asyncio.wait_for(finishing, PATIENCE)
    assert (len(those.made), those.door.waiting) == (EACH_TICK, 0)


async def test_connections_of_a_server_send_what_is_little_at_once(sqlite_served: Served) -> None:
    door: Any = sqlite_served.server.servers[0]
    before = door.made
    async with sqlite_served.socket(begin=False):
        assert door.made == before + 1
        (connection,) = sqlite_served.server.server_state.connections
        transport: Any = connection
        socket_of = transport.transport.get_extra_info("socket")
        assert socket_of.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_connections_that_end_leave_nothing_for_the_garbage_collector(sqlite_served: Served) -> None:
    connections = sqlite_served.server.server_state.connections
    body = b'{"query":"{ __typename }"}'
    head = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    whole = head % len(body) + body
    collects = gc.isenabled()
    gc.disable()
    try:
        for said in (b"", b"GET", whole[:-5], whole, whole * 3, b"nonsense\r\n\r\n"):
            before = set(connections)
            reader, writer = await asyncio.open_connection("127.0.0.1", sqlite_served.port)
            writer.write(said)
            await eventually(lambda before=before: len(set(connections) - before) == 1)  # type: ignore[misc]
            if said == whole:
                await reader.readuntil(b"}}")
            (left,) = [weakref.ref(each) for each in connections if each not in before]
            del before
            writer.transport.abort()
            await eventually(lambda left=left: left() is None)  # type: ignore[misc]
        before = set(connections)
        async with sqlite_served.socket({"Authorization": "Bearer admin"}):
            (socket_left,) = [weakref.ref(each) for each in connections if each not in before]
            assert isinstance(socket_left(), WebSocketProtocol)
            await asyncio.sleep(4 * LIMITS.tick_seconds)  # what looks after open connections has looked at it
        del before
        await eventually(lambda: socket_left() is None)
    finally:
        if collects:
            gc.enable()
