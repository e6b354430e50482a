"""Accepts connections a few at a time, so that floods cannot block."""

import asyncio
import errno
import socket
import sys
from collections import deque
from collections.abc import Callable
from functools import partial

import structlog

from app.core.short_turns import Spell, short_turns
from app.http.addresses import Addresses
from app.http.pace import Allowance

log = structlog.get_logger(__name__)

TICK = 0.001
"""Seconds after which as many connections are set up again."""

EACH_TICK = 4
"""The most connections of all clients that are set up in a tick, while the loop has time for it. Each takes two tenths
of a millisecond until it is closed."""

FEWEST_EACH_TICK = 1
"""How many are set up in a tick however busy the loop is."""

AT_ONCE = 16
"""How many connections are accepted in a tick, or found to be left; each takes ten microseconds."""

REST = 3
"""Ticks that a connection waits, after one of its address has left without an answer. Most clients that reset their
connections have done it by then, and nothing is set up for them."""

MOST_WAITING = 1_000
"""How many accepted connections wait to be set up. While there are as many, the others wait in the system."""

RETRY = 1.0
"""Seconds after which accepting is tried again where the process or the system has no more files."""

BACKLOG = 2_048
"""How many connections wait in the system, where that allows so many."""

LONGEST_STALL = 30.0
"""The most seconds in which a client may take nothing of an answer, or acknowledge nothing."""

_STATE = getattr(socket, "TCP_INFO", None) if sys.platform == "linux" else None
"""The option whose first byte is the connection's state."""

_LEFT = (7, 8)
"""TCP_CLOSE and TCP_CLOSE_WAIT of Linux."""

Left = Callable[[bool], None]

_NO_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Door:
    """Lets the connections of one listener in, in place of a server of asyncio.

    Of clients that wait those of each address are set up in turn; one that has reset its connection by then is not set
    up at all. An address has no more connections than are left for the others, and no more of them wait than others
    could: a further one is closed as soon as it is accepted, unless it is that of a proxy.

    `protocol` makes what serves a connection; it is given what to call at the connection's end, with whether anything
    was answered."""

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[Left], asyncio.Protocol],
        addresses: Addresses,
        allowance: Allowance,
    ) -> None:
        self.made = 0
        """How many connections were set up."""
        self.refused = 0
        """How many were closed at once."""
        self.waiting = 0
        """How many accepted connections wait to be set up."""
        self._listener = listener
        self._protocol = protocol
        self._addresses = addresses
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[str, deque[tuple[int, socket.socket]]] = {}
        self._allowance = allowance
        self._short_turns = Spell(short_turns)
        self._accepted_in_tick = 0
        self._made_in_tick = 0
        self._ticks = 0
        self._tick: asyncio.TimerHandle | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._reads = False
        self._accepts = True
        self._nobody_waits = asyncio.Event()
        self._is_closed = False
        self._tasks: set[asyncio.Task[object]] = set()
        listener.setblocking(False)
        listener.listen(BACKLOG)
        self._read(True)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop in which it accepts."""
        return self._loop

    async def finish(self) -> None:
        """Accept nobody any more, and wait until those that were accepted are set up: nobody else would answer them."""
        self._accepts = False
        self._read(False)
        if self._waiting:
            await self._nobody_waits.wait()
        await self.wait_closed()

    def close(self) -> None:
        """Let nobody in any more, who waits least of all; a second time does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        self._short_turns.end()
        self._accepts = False
        self._read(False)
        for timer in (self._tick, self._retry):
            if timer is not None:
                timer.cancel()
        for connections in self._waiting.values():
            for _, connection in connections:
                connection.close()
        self._waiting.clear()
        self.waiting = 0
        self._nobody_waits.set()
        self._listener.close()

    async def wait_closed(self) -> None:
        """Wait for what is being set up."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _read(self, reads: bool) -> None:
        if reads != self._reads:
            self._reads = reads
            if reads:
                self._loop.add_reader(self._listener, self._accept)
            else:
                self._loop.remove_reader(self._listener)

    def _accept(self) -> None:
        while self._accepted_in_tick < AT_ONCE:
            try:
                connection, place = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:
                if error.errno in _NO_FILES:
                    log.warning("no connection can be accepted", reason=error.strerror)
                    self._read(False)
                    self._retry = self._loop.call_later(RETRY, self._try_again)
                    break
                continue  # it was ended before it was accepted
            self._accepted_in_tick += 1
            self._let_wait(connection, place[0] if place else "")
        self._set_up()
        self._go_on()

    def _let_wait(self, connection: socket.socket, address: str) -> None:
        addresses = self._addresses
        waiting = self._waiting.get(address, ())
        has_its_share = len(waiting) >= MOST_WAITING - self.waiting and not addresses.is_proxy(address)
        if has_its_share or not addresses.admits(address):
            self.refused += 1
            connection.close()
            return
        addresses.take(address)
        until = self._ticks + REST if addresses.is_hasty(address) else self._ticks
        self._waiting.setdefault(address, deque()).append((until, connection))
        self.waiting += 1

    def _set_up(self) -> None:
        looked = 0
        while self._waiting and self._made_in_tick < self._allowance.each and looked < AT_ONCE:
            looked += 1
            address = next(iter(self._waiting))
            connections = self._waiting.pop(address)
            if connections[0][0] > self._ticks:
                self._waiting[address] = connections
                continue
            _, connection = connections.popleft()
            self.waiting -= 1
            if connections:
                self._waiting[address] = connections  # behind the others
            if _has_left(connection):
                connection.close()
                self._addresses.leave(address, was_answered=False)
                continue
            connection.setblocking(False)
            self._made_in_tick += 1
            self.made += 1
            task: asyncio.Task[object] = self._loop.create_task(self._made(connection, address))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if not (self._accepts or self._waiting):
            self._nobody_waits.set()
        if self._tick is None and (self._accepted_in_tick or self._waiting):
            self._allowance.begin()
            self._tick = self._loop.call_later(TICK, self._next_tick)

    async def _made(self, connection: socket.socket, address: str) -> None:
        left = partial(self._addresses.leave, address)
        try:
            await self._loop.connect_accepted_socket(partial(self._protocol, left), connection)
        except OSError:
            connection.close()  # its client has left meanwhile
            left(was_answered=False)

    def _next_tick(self) -> None:
        self._tick = None
        self._allowance.end()
        if self._allowance.is_scarce:
            self._short_turns.prolong()
        self._ticks += 1
        self._accepted_in_tick = self._made_in_tick = 0
        self._set_up()
        self._go_on()

    def _try_again(self) -> None:
        self._retry = None
        self._go_on()

    def _go_on(self) -> None:
        if self._retry is None and self._accepts:
            self._read(self._accepted_in_tick < AT_ONCE and self.waiting < MOST_WAITING)


def _has_left(connection: socket.socket) -> bool:
    """Whether its client has reset or closed the connection: uvicorn answers nobody who has closed even one side."""
    if _STATE is not None:
        try:
            return connection.getsockopt(socket.IPPROTO_TCP, _STATE, 1)[0] in _LEFT
        except OSError:
            pass  # it is none of TCP
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


def notice_the_vanished(listener: socket.socket) -> None:
    """End the connections of a client that is gone without a word (its power, its network): by itself TCP would repeat
    what it does not acknowledge for a quarter of an hour, and a stream would stay open as long. Where there is no such
    option, it does."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        # Accepted connections inherit it.
        listener.setsockopt(socket.IPPROTO_TCP, option, int(LONGEST_STALL * 1000))
