"""The connections of PostgreSQL's plans: which are in use, which are free."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import sqlalchemy as sa

from app.core.errors import Unavailable
from app.settings import Settings
from app.storage.driver_types import TIMES_AS_TEXT, know_arrays, read_times_as_text
from app.storage.engines import STATEMENTS_KEPT, asyncpg_arguments
from app.storage.liveness import Connection, Liveness


class ReadConnections:
    """Gives out a free connection that knows the statement, or else the one that came back last; opens one when none
    is free.

    It has no limit of its own: the queue of reads and the growth of the pool have one. A pool of the driver costs as
    much per read as the read's statement: a task, two futures, and an object that wraps the connection."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]]) -> None:
        self._connect = connect
        self._free: list[Connection] = []
        self._used: set[Connection] = set()
        self._closed = False
        self._all_back: asyncio.Future[None] | None = None

    @classmethod
    def to(cls, url: sa.URL, settings: Settings, liveness: Liveness) -> "ReadConnections":
        """Connections to this database. A statement on them may take `read_timeout`."""
        limits = {
            "statement_timeout": settings.read_timeout,
            "idle_in_transaction_session_timeout": settings.read_timeout,
        }
        arguments = asyncpg_arguments(url, **limits) | {
            "statement_cache_size": STATEMENTS_KEPT * 2,
            "max_cached_statement_lifetime": 0,
        }
        arguments["server_settings"] |= TIMES_AS_TEXT
        return cls(partial(liveness.connect, **arguments))

    @property
    def free(self) -> int:
        """How many open connections are free."""
        return len(self._free)

    @property
    def opened(self) -> int:
        """How many connections are open."""
        return len(self._free) + len(self._used)

    def take(self, sql: str = "") -> Connection | None:
        """A free connection, in use until it is given back; one that has read by this statement, where there is one.
        None when none is free.

        To prepare a large statement on a connection that has not read those tables yet takes as long as ten reads."""
        free = self._free
        while free:
            latest = place = len(free) - 1
            if sql and sql not in free[latest].statements:
                place = next((each for each in range(latest - 1, -1, -1) if sql in free[each].statements), latest)
            connection = free.pop(place)
            if not connection.is_closed():
                self._used.add(connection)
                return connection
            connection.terminate()  # so that the driver forgets it as well
        return None

    async def open(self) -> Connection:
        """A new connection, in use until it is given back. Raises the driver's errors, and Unavailable after
        `close`."""
        if self._closed:
            raise Unavailable("The database is closed.")
        connection = await self._connect()
        read_times_as_text(connection)
        know_arrays(connection)
        self._used.add(connection)
        return connection

    def give_back(self, connection: Connection) -> None:
        """The connection is free again. A closed one is forgotten."""
        self._used.discard(connection)
        if connection.is_closed():
            connection.terminate()
        else:
            self._free.append(connection)
        if self._all_back is not None and not self._used and not self._all_back.done():
            self._all_back.set_result(None)

    def drop_free(self) -> None:
        """Close the free connections: what they know about the tables is out of date."""
        while self._free:
            self._free.pop().terminate()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Connection]:
        """A free connection, or else a new one, for the length of the block."""
        connection = self.take() or await self.open()
        try:
            yield connection
        finally:
            self.give_back(connection)

    async def close(self, within: float) -> None:
        """Wait for the connections in use, at most so many seconds, then close all."""
        self._closed = True
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                if self._used:
                    self._all_back = asyncio.get_running_loop().create_future()
                    await self._all_back
                await asyncio.gather(*(each.close() for each in self._free), return_exceptions=True)
        for connection in (*self._free, *self._used):
            connection.terminate()
