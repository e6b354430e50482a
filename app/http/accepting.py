"""Accepts connections, and sets up a few of them at a time, so that a flood of them leaves the loop time for others."""

import asyncio
import errno
import socket
from collections import deque
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

TICK = 0.001
"""Seconds after which as many connections are set up again."""

EACH_TICK = 4
"""How many connections of all clients are set up in a tick. Each takes a tenth of a millisecond until it is closed."""

AT_ONCE = 16
"""How many connections are accepted, or found to be left, in a row; each takes ten microseconds."""

MOST_WAITING = 1_000
"""How many accepted connections wait to be set up. While there are as many, the others wait in the system."""

RETRY = 1.0
"""Seconds after which accepting is tried again where the process or the system has no more files."""

BACKLOG = 2_048
"""How many connections wait in the system, where that allows so many."""

LONGEST_STALL = 30.0
"""The most seconds in which a client may take nothing of an answer, or acknowledge nothing."""

_NO_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Door:
    """Lets the connections of one listener in, in place of a server of asyncio.

    Of clients that wait those of each address are set up in turn; one that has reset its connection by then is not set
    up at all."""

    def __init__(self, listener: socket.socket, protocol: Callable[[], asyncio.Protocol]) -> None:
        self.made = 0
        """How many connections were set up."""
        self._listener = listener
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[str, deque[socket.socket]] = {}
        self.waiting = 0
        """How many accepted connections wait to be set up."""
        self._made_in_tick = 0
        self._tick: asyncio.TimerHandle | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._reads = False
        self._is_closed = False
        self._tasks: set[asyncio.Task[object]] = set()
        listener.setblocking(False)
        listener.listen(BACKLOG)
        self._read(True)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop in which it accepts."""
        return self._loop

    def close(self) -> None:
        """Let nobody in any more; a second time does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        self._read(False)
        for timer in (self._tick, self._retry):
            if timer is not None:
                timer.cancel()
        for connections in self._waiting.values():
            for connection in connections:
                connection.close()
        self._waiting.clear()
        self.waiting = 0
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
        for _ in range(AT_ONCE):
            try:
                connection, address = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:
                if error.errno in _NO_FILES:
                    log.warning("no connection can be accepted", reason=error.strerror)
                    self._read(False)
                    self._retry = self._loop.call_later(RETRY, self._try_again)
                    break
                continue  # it was ended before it was accepted
            self._waiting.setdefault(address[0] if address else "", deque()).append(connection)
            self.waiting += 1
        self._set_up()
        if self.waiting >= MOST_WAITING:
            self._read(False)

    def _set_up(self) -> None:
        looked = 0
        while self._waiting and self._made_in_tick < EACH_TICK and looked < AT_ONCE:
            looked += 1
            address = next(iter(self._waiting))
            connections = self._waiting.pop(address)
            connection = connections.popleft()
            self.waiting -= 1
            if connections:
                self._waiting[address] = connections  # behind the others
            if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                connection.close()
                continue
            connection.setblocking(False)
            self._made_in_tick += 1
            self.made += 1
            task: asyncio.Task[object] = self._loop.create_task(self._made(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if self._tick is None and (self._made_in_tick or self._waiting):
            self._tick = self._loop.call_later(TICK, self._next_tick)

    async def _made(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._protocol, connection)
        except OSError:
            connection.close()  # its client has left meanwhile

    def _next_tick(self) -> None:
        self._tick = None
        self._made_in_tick = 0
        self._set_up()
        self._go_on()

    def _try_again(self) -> None:
        self._retry = None
        self._go_on()

    def _go_on(self) -> None:
        if self._retry is None and self.waiting < MOST_WAITING:
            self._read(True)


def notice_the_vanished(listener: socket.socket) -> None:
    """End the connections of a client that is gone without a word (its power, its network): by itself TCP would repeat
    what it does not acknowledge for a quarter of an hour, and a stream would stay open as long. Where there is no such
    option, it does."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        # Accepted connections inherit it.
        listener.setsockopt(socket.IPPROTO_TCP, option, int(LONGEST_STALL * 1000))
