"""PostgreSQL's commands, in SQLAlchemy's greenlet."""

import asyncio
import random
from collections.abc import Hashable, Sequence
from typing import Any, TypeVar

import asyncpg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

from app.core.errors import Unavailable
from app.core.fairness import Caller
from app.settings import Settings
from app.storage import growth
from app.storage.admission import Admission, share_of
from app.storage.engines import asyncpg_arguments, postgresql_engine
from app.storage.event_log.writing import Appended, Committed, encode, in_lanes, lane_count
from app.storage.liveness import Liveness
from app.storage.refusals import outcome_unknown, postgresql_refusal
from app.storage.tally import Load, Tally
from app.storage.unit_connection import Overtaken
from app.storage.unit_connections import UnitConnections
from app.storage.work import OpenWork, Unit

T = TypeVar("T")

_Done = tuple[T, Sequence[Appended]]

ATTEMPTS = 8
LAST_SECONDS = 1.0
"""How long a running command may still take when the database is closed."""

_SERIALIZATION_FAILURE = "40001"
_DEADLOCK = "40P01"
GOING_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    ConnectionError,
    asyncpg.InternalClientError,  # an idle connection read the farewell before its end
)
OUT_OF_DATE = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)
"""A table was changed after the statement was prepared."""


class PostgresqlCommands:
    """Runs each command as its own transaction, to its end even when its caller is cancelled."""

    def __init__(
        self,
        engine: AsyncEngine,
        lanes: int,
        open_work: OpenWork,
        settings: Settings,
        liveness: Liveness,
        opened: int = 1,
    ) -> None:
        self.liveness = liveness
        self.dialect = engine.sync_engine.dialect
        self.engine = engine.sync_engine
        self.committed: Committed = lambda _: None
        self.tally = Tally()
        self._async_engine = engine
        self._connections = UnitConnections(self.engine)
        self._lanes = lanes
        self._open_work = open_work
        self._longest = settings.command_timeout.total_seconds()
        self._admission = Admission(
            settings.pool_size,
            most_waiting=settings.max_waiting_commands,
            patience=settings.lock_timeout.total_seconds(),
            opened=opened,
            connect=engine.connect,
        )
        self._running: set[asyncio.Task[Any]] = set()

    @classmethod
    async def open(cls, url: sa.URL, open_work: OpenWork, settings: Settings) -> "PostgresqlCommands":
        liveness = Liveness(asyncpg_arguments(url), settings.database_silence.total_seconds())
        engine = postgresql_engine(url, settings, liveness)
        try:
            async with asyncio.timeout(settings.command_timeout.total_seconds()), engine.connect() as connection:
                lanes = await connection.run_sync(lane_count)
            wanted = growth.at_start(share_of(settings.pool_size), settings.pool_size)
            opened = await growth.open_together(engine.connect, wanted)
        except BaseException:
            await liveness.close()
            raise
        return cls(engine, lanes, open_work, settings, liveness, opened)

    @property
    def load(self) -> Load:
        """The load of the connections for commands."""
        return self._admission.load

    async def run(self, unit: Unit[T], caller: Caller, subject: Hashable | None) -> T:
        task = asyncio.create_task(self._admitted(unit, caller, subject))
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # a caller that has left never asks for it, and asyncio would log the error

    async def forget_deleted(self) -> bool:
        return True

    async def close(self) -> None:
        if self._running:
            _, waiting = await asyncio.wait(self._running, timeout=LAST_SECONDS)
            for task in waiting:
                # The unit may wait forever for a lock that is held elsewhere. The server undoes it when its connection
                # ends.
                task.cancel()
            if waiting:
                await asyncio.wait(waiting)
        await self._admission.close()
        await greenlet_spawn(self._connections.close)
        # Without this, the engine would wait for the server to close each of its connections.
        await self.liveness.close()
        await self._async_engine.dispose()

    async def _admitted(self, unit: Unit[T], caller: Caller, subject: Hashable | None) -> T:
        held = await self._admission.admit(caller, subject)
        try:
            return await self._attempts(unit)
        finally:
            self.tally.units += 1
            held.end()

    async def _attempts(self, unit: Unit[T]) -> T:
        overtaken = False
        until = asyncio.get_running_loop().time() + self._longest
        for attempt in range(ATTEMPTS):
            if not await may_begin(attempt, until):
                break
            self.tally.retries += attempt > 0
            try:
                result: _Done[T] = await greenlet_spawn(self._transaction, unit)
            except _Again:
                continue
            except IntegrityError:
                # A row that the unit had seen was deleted meanwhile, or one that it had not seen was added. When the
                # unit starts again
                # it sees the change, and refuses what it must. If that does not help, it is the unit's own fault.
                if overtaken:
                    raise
                overtaken = True
                continue
            value, appended = result
            self.tally.commits += 1
            if appended:
                self.committed(appended)
            return value
        raise Unavailable("Other commands interfered with each attempt; nothing was changed. Try again.")

    def _transaction(self, unit: Unit[T]) -> _Done[T]:
        try:
            return self._once(unit, optimistic=True)
        except Overtaken:
            # Run again at once; this time it locks before it reads.
            self.tally.retries += 1
            return self._once(unit, optimistic=False)

    def _once(self, unit: Unit[T], *, optimistic: bool) -> _Done[T]:
        try:
            connection = self._connections.take(optimistic=optimistic)
        except PoolTimeout as error:
            # A unit that has waited this long would only wait again.
            raise Unavailable("All connections to the database are busy; nothing was changed.") from error
        except (OSError, DBAPIError) as error:
            raise _Again from error
        use = connection.driver.use
        use.begin(asyncio.get_running_loop().time(), self._longest + self.liveness.silence)
        try:
            try:
                work = self._open_work(connection)
                value = unit(work)
                events = work.events
                appended = connection.finish(
                    in_lanes(encode(events, work.now, self.dialect), self._lanes) if events else ()
                )
                if not connection.is_one_statement:
                    work.left = None
            except (DBAPIError, ConnectionError) as error:
                if _is_out_of_date(error):
                    connection.invalidate()
                    raise _Again from error
                if _is_lost(error):
                    connection.invalidate()
                    self._connections.drop_free()
                    if connection.ends:
                        # It may have committed: repeating the unit could do its work twice.
                        raise outcome_unknown() from error
                    raise _Again from error
                connection.undo()
                if _is_collision(error):
                    raise _Again from error
                raise postgresql_refusal(error) or error from None
            except BaseException:
                connection.undo()
                raise
        finally:
            use.end()
            self._connections.give_back(connection)
        return value, appended


class _Again(Exception):
    """Nothing was changed, and the whole unit may run again."""


def _is_collision(error: DBAPIError | ConnectionError) -> bool:
    found = error.orig if isinstance(error, DBAPIError) else None
    return getattr(found, "sqlstate", None) in (_SERIALIZATION_FAILURE, _DEADLOCK)


def _is_out_of_date(error: DBAPIError | ConnectionError) -> bool:
    return isinstance(error, DBAPIError) and error.orig is not None and isinstance(error.orig.__cause__, OUT_OF_DATE)


def _is_lost(error: DBAPIError | ConnectionError) -> bool:
    if not isinstance(error, DBAPIError) or error.connection_invalidated:
        return True
    # SQLAlchemy asks whether the socket is closed. That may become known only after the server's farewell.
    return error.orig is not None and isinstance(error.orig.__cause__, GOING_AWAY)


async def may_begin(attempt: int, until: float) -> bool:
    """Wait before every attempt but the first, each time about twice as long. Returns False after `until`."""
    if not attempt:
        return True
    await asyncio.sleep(random.uniform(0.5, 1) * 0.005 * 2**attempt)
    return asyncio.get_running_loop().time() < until
