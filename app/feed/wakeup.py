"""Hints about commits of other processes; they may be lost or late."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

import asyncpg
import structlog

from app.storage.engines import asyncpg_arguments, connect_sqlite, parse_database_url

log = structlog.get_logger(__name__)

CHANNEL = "switchboard_events"

_LONGEST_PAUSE = 5.0
_LESS_OFTEN = 1.2
_OWN_IN_A_ROW = 5

Wake = Callable[[], None]


class Wakeups(Protocol):
    """Runs until it is cancelled, also after failures of the database."""

    def tell(self) -> None:
        """Notify the other processes soon that events were committed."""

    async def run(self, wake: Wake) -> None:
        """Call `wake` whenever another process may have committed events."""


class PostgresqlWakeups:
    """LISTEN and NOTIFY on a connection of its own.

    A notification inside the writing transaction would take a lock that all writers of the server share; so it is sent
    after the commit, and one stands for all the commits of a few milliseconds."""

    def __init__(self, database_url: str, *, pause: float = 0.002, silence: float = 3.0) -> None:
        self._url = parse_database_url(database_url)
        self._silence = silence
        self._pause = pause
        self._news = asyncio.Event()

    def tell(self) -> None:
        self._news.set()

    async def run(self, wake: Wake) -> None:
        pause = 0.0
        while True:
            await asyncio.sleep(pause)
            pause = min(max(pause * 2, 0.1), _LONGEST_PAUSE)
            connection: Any = None
            try:
                connection = await self._connect(asyncpg_arguments(self._url))
                await self._serve(connection, wake)
            except Exception as error:
                # The driver raises many types when a server goes away; none of them may end this task.
                log.warning("wake-ups of other processes have stopped; polling goes on", error=repr(error))
            else:
                pause = 0.1
            finally:
                if connection is not None:
                    connection.terminate()

    async def _connect(self, arguments: Mapping[str, Any]) -> Any:
        return await asyncpg.connect(timeout=self._silence, command_timeout=self._silence, **arguments)

    async def _serve(self, connection: Any, wake: Wake) -> None:
        own = connection.get_server_pid()

        def heard(_connection: object, sender: int, _channel: str, _payload: str) -> None:
            if sender != own:
                wake()

        connection.add_termination_listener(lambda _connection: self._news.set())
        await connection.add_listener(CHANNEL, heard)
        # Events may have been committed while the connection was down.
        wake()
        while True:
            try:
                async with asyncio.timeout(self._silence):
                    await self._news.wait()
            except TimeoutError:
                # A lost connection brings no notifications either, so silence has to be tested.
                await connection.execute("SELECT")
                continue
            self._news.clear()
            if connection.is_closed():
                return
            await connection.execute(f"NOTIFY {CHANNEL}")
            await asyncio.sleep(self._pause)


class SqliteWakeups:
    """Polls `data_version`: `shortest` seconds after a change, and less and less often while there is none.

    A poll costs little, but to wake up for it costs an idle process more than all the rest that it does.

    SQLite does not say whose change it was. One that comes while this process commits is most likely its own, so such
    changes wake only at every fifth poll. What another process has committed meanwhile is found sooner when this one
    commits again: the next positions of the log are taken then."""

    def __init__(
        self,
        database_url: str,
        *,
        shortest: float = 0.02,
        longest: float = 0.2,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._path = str(parse_database_url(database_url).database)
        self._shortest = shortest
        self._longest = longest
        self._sleep = sleep
        self._told = False

    def tell(self) -> None:
        """Note that a change may be this process's own. The other processes poll the file."""
        self._told = True

    async def run(self, wake: Wake) -> None:
        connection = connect_sqlite(self._path, read_only=True)
        try:
            version, pause, doubts = None, self._shortest, 0
            while True:
                with suppress(connection.OperationalError):  # the file is locked; the next poll sees the change
                    (found,) = connection.execute("PRAGMA data_version").fetchone()
                    if found != version:
                        version, pause = found, self._shortest
                        doubts += 1
                    if doubts and (not self._told or doubts >= _OWN_IN_A_ROW):
                        doubts = 0
                        wake()
                    self._told = False
                await self._sleep(pause)
                pause = min(pause * _LESS_OFTEN, self._longest)
        finally:
            connection.close()


def wakeups_for(database_url: str, *, silence: float = 3.0) -> Wakeups:
    """The wake-ups of this database. A connection that is silent for `silence` seconds is replaced."""
    if parse_database_url(database_url).get_backend_name() == "sqlite":
        return SqliteWakeups(database_url)
    return PostgresqlWakeups(database_url, silence=silence)
