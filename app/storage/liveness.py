"""Liveness of connections to PostgreSQL: finds the silent ones and drops them."""

import asyncio
import socket
from collections.abc import Awaitable, Collection, Sequence
from contextlib import suppress
from typing import Any, cast
from weakref import WeakSet

import asyncpg
import structlog

from app.core.errors import Unavailable
from app.storage.driver_types import know_arrays

_log = structlog.get_logger(__name__)

_LOOKS = 3
"""Looks at the connections in use while one of them may be silent."""

# A process waits for its client between transactions, within one, and within a statement that is only parsed.
_WAITING = """
SELECT pid FROM pg_stat_activity WHERE pid = ANY($1::int[])
AND wait_event = 'ClientRead' AND clock_timestamp() - state_change > make_interval(secs => $2)
"""

_KEEPALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 3, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 10_000}
"""Options of the socket. A connection whose peer acknowledges nothing is over after about 10 seconds. Those in use are
found by this module; these find the idle ones, and keep firewalls from forgetting them."""


class _Use:
    """When a connection was taken into use, and when it has to be free again; None while it is idle."""

    __slots__ = ("ends", "since")

    def __init__(self) -> None:
        self.since: float | None = None
        self.ends = 0.0

    def begin(self, now: float, longest: float) -> None:
        """It is used from now on, for `longest` seconds at most."""
        self.since = now
        self.ends = now + longest

    def end(self) -> None:
        """It is idle again."""
        self.since = None


class Connection(asyncpg.Connection):  # type: ignore[misc]
    """A connection with its use."""

    __slots__ = ("use",)

    def __init__(self, protocol: Any, transport: asyncio.Transport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        self.use = _Use()
        _keep_alive(transport.get_extra_info("socket"))

    def rows(self, sql: str, arguments: Sequence[object]) -> Awaitable[list[asyncpg.Record]]:
        """The rows of a statement, as `fetch`, whose layers cost as much as a small statement where it is prepared.

        One that another session's change of a table has made old is not prepared anew, but fails."""
        known = self._prepared(sql)
        found: Awaitable[list[asyncpg.Record]] = (
            self.fetch(sql, *arguments)
            if known is None
            else self._protocol.bind_execute(known, arguments, "", 0, False, None)
        )
        return found

    async def status(self, sql: str, arguments: Sequence[object]) -> str:
        """The status of a statement, as `execute`, on the same way."""
        known = self._prepared(sql)
        if known is None:
            return cast("str", await self.execute(sql, *arguments))
        _, status, _ = await self._protocol.bind_execute(known, arguments, "", 0, True, None)
        return cast("str", status.decode())

    def _prepared(self, sql: str) -> Any:
        """The prepared statement of a text; None where there is none yet, and while somebody is told of all of them."""
        return None if self._query_loggers else self._stmt_cache.get((sql, asyncpg.Record, False))


class Liveness:
    """Opens the connections of a process, and drops those that wait for PostgreSQL in vain.

    A connection in use for longer than `silence` seconds is asked about on a new one. It is dropped when the server has
    waited for the process as long, because then the request or its answer is lost, and when the new connection gets no
    answer either. While the server works for it, it is kept until its limit. Whoever waits for it gets the error of a
    connection that was closed. Connections that are not in use then are dropped too: they took the same way.

    Nothing here waits for the peer: asyncpg's own limits send a cancel request and wait for its effect."""

    def __init__(self, arguments: dict[str, Any], silence: float) -> None:
        self.silence = silence
        self._arguments = arguments
        self._open: WeakSet[Connection] = WeakSet()
        self._looking = asyncio.create_task(self._run())

    async def connect(self, *_args: object, **arguments: Any) -> Connection:
        """Open a connection with asyncpg's arguments. Raises TimeoutError when that takes longer than `silence`."""
        opened = await asyncpg.connect(**{**arguments, "timeout": self.silence, "connection_class": Connection})
        self._open.add(opened)
        return cast("Connection", opened)

    async def close(self) -> None:
        """Drop every connection that is open still."""
        self._looking.cancel()
        with suppress(asyncio.CancelledError):
            await self._looking
        for connection in list(self._open):
            connection.terminate()

    async def _run(self) -> None:
        time = asyncio.get_running_loop().time
        while True:
            due = time() + self.silence / _LOOKS
            await asyncio.sleep(self.silence / _LOOKS)
            try:
                self._forgive(time() - due)
                await self._look(time())
            except Exception:
                _log.exception("connections to the database cannot be looked after")

    def _forgive(self, late: float) -> None:
        """Do not count the time in which the process itself could not take an answer."""
        for connection in self._open:
            if connection.use.since is not None:
                connection.use.since += late
                connection.use.ends += late

    async def _look(self, now: float) -> None:
        used = [(connection, connection.use.since) for connection in self._open if connection.use.since is not None]
        over = [each for each in used if each[0].use.ends <= now]
        self._drop(over, "they took too long")
        suspects = [each for each in used if each not in over and now - each[1] >= self.silence]
        if not suspects:
            return
        try:
            waiting = await self._waiting([connection.get_server_pid() for connection, _ in suspects])
        except TimeoutError:
            self._drop(suspects, "the database does not answer")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            pass  # an answer, though not to the question: the limits hold
        else:
            self._drop([each for each in suspects if each[0].get_server_pid() in waiting], "what they wait for is lost")

    async def _waiting(self, pids: Collection[int]) -> set[int]:
        """Those of the server's processes that have waited for their clients for long. Raises TimeoutError."""
        connection = None
        async with asyncio.timeout(self.silence):
            try:
                connection = await asyncpg.connect(**self._arguments)
                know_arrays(connection)
                return {pid for (pid,) in await connection.fetch(_WAITING, list(pids), self.silence)}
            finally:
                if connection is not None:
                    connection.terminate()

    def _drop(self, wanted: Collection[tuple[Connection, float | None]], reason: str) -> None:
        dropped = [connection for connection, since in wanted if connection.use.since == since]
        if not dropped:
            return
        for connection in [*dropped, *(each for each in self._open if each.use.since is None)]:
            self._open.discard(connection)
            connection.terminate()
        _log.warning("connections to the database were dropped", reason=reason, connections=len(dropped))


def silent() -> Unavailable:
    """The answer to a read whose connection went silent."""
    return Unavailable("The database does not answer.")


def _keep_alive(of_connection: socket.socket) -> None:
    if of_connection.family == socket.AF_UNIX:
        return
    of_connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        # Not every system has every option.
        option = getattr(socket, name, None)
        if option is not None:
            of_connection.setsockopt(socket.IPPROTO_TCP, option, value)
