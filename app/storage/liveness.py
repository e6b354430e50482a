"""Finds connections to PostgreSQL that no longer answer, and drops them."""

import asyncio
import socket
from collections.abc import Awaitable, Collection, Sequence
from typing import Any, cast
from weakref import WeakSet

import asyncpg
import structlog

from app.core.errors import Unavailable
from app.storage.driver_types import know_arrays

_log = structlog.get_logger(__name__)

_MOST_STATEMENTS = 2_048
"""How many statements a connection notes; the driver keeps fewer of them prepared."""

_LOOKS = 3
"""How often connections in use are checked while one of them may be silent."""

# PostgreSQL waits for its client between transactions, inside one, and while a statement is only parsed.
_WAITING = """
SELECT pid FROM pg_stat_activity WHERE pid = ANY($1::int[])
AND wait_event = 'ClientRead' AND clock_timestamp() - state_change > make_interval(secs => $2)
"""

_KEEPALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 3, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 10_000}
"""Socket options. A connection whose peer acknowledges nothing ends after about 10 seconds. This module finds the
silent connections in use; these options find the idle ones, and keep firewalls from forgetting them."""


class _Use:
    """When a connection was taken into use, and by when it has to be free again; None while it is idle."""

    __slots__ = ("ends", "since")

    def __init__(self) -> None:
        self.since: float | None = None
        self.ends = 0.0

    def begin(self, now: float, longest: float) -> None:
        """The connection is in use from now on, for at most `longest` seconds."""
        self.since = now
        self.ends = now + longest

    def end(self) -> None:
        """The connection is idle again."""
        self.since = None


class Connection(asyncpg.Connection):  # type: ignore[misc]
    """A connection with its use, and the statements that were read on it: nearly all of them are prepared."""

    __slots__ = ("statements", "use")

    def __init__(self, protocol: Any, transport: asyncio.Transport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        self.use = _Use()
        self.statements: set[str] = set()
        _keep_alive(transport.get_extra_info("socket"))

    def rows(self, sql: str, arguments: Sequence[object]) -> Awaitable[list[asyncpg.Record]]:
        """The rows of a statement, as `fetch` returns them. The layers of `fetch` cost as much as a small prepared
        statement.

        When a change of a table has made a prepared statement out of date, it is not prepared again: the call fails."""
        known = self._prepared(sql)
        found: Awaitable[list[asyncpg.Record]]
        if known is None:
            if len(self.statements) >= _MOST_STATEMENTS:
                self.statements.clear()
            self.statements.add(sql)
            found = self.fetch(sql, *arguments)
        else:
            found = self._protocol.bind_execute(known, arguments, "", 0, False, None)
        return found

    async def status(self, sql: str, arguments: Sequence[object]) -> str:
        """The status of a statement, as `execute` returns it, by the same shortcut."""
        known = self._prepared(sql)
        if known is None:
            return cast("str", await self.execute(sql, *arguments))
        _, status, _ = await self._protocol.bind_execute(known, arguments, "", 0, True, None)
        return cast("str", status.decode())

    def _prepared(self, sql: str) -> Any:
        """The prepared statement of a text. None when there is none yet, or while something observes all statements."""
        return None if self._query_loggers else self._stmt_cache.get((sql, asyncpg.Record, False))


class Liveness:
    """Opens the connections of a process, and drops those that wait for PostgreSQL in vain.

    When a connection has been in use for longer than `silence` seconds, the server is asked about it on a new
    connection. It is dropped when the server has been waiting for the process just as long, because then the request or
    its answer is lost; and when the new connection gets no answer either. While the server works on its statement, it
    is kept until its limit. The task that waits for it gets the error of a closed connection. Connections that are not
    in use are then dropped too, because they run over the same network.

    Nothing here waits for the peer. asyncpg's own timeouts send a cancel request and wait for its effect."""

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
        """Drop every connection that is still open."""
        self._looking.cancel()
        for connection in list(self._open):
            connection.terminate()
        # Not awaited by itself: who is cancelled meanwhile would take it for the end of that task, and go on.
        await asyncio.wait([self._looking])

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
        """Do not count the time in which this process itself could not read an answer."""
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
            pass  # This is an answer, though not to the question: the usual limits hold.
        else:
            self._drop([each for each in suspects if each[0].get_server_pid() in waiting], "what they wait for is lost")

    async def _waiting(self, pids: Collection[int]) -> set[int]:
        """The server processes that have waited for their clients for a long time. Raises TimeoutError."""
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
    """The error for a read whose connection went silent."""
    return Unavailable("The database does not answer.")


def _keep_alive(of_connection: socket.socket) -> None:
    if of_connection.family == socket.AF_UNIX:
        return
    of_connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        # Not every operating system has every option.
        option = getattr(socket, name, None)
        if option is not None:
            of_connection.setsockopt(socket.IPPROTO_TCP, option, value)
