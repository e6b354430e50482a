"""PostgreSQL's plans: a pool of asyncpg's connections, shared out between callers."""

import asyncio
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from typing import Any, TypeVar

import asyncpg
import sqlalchemy as sa

from app.core.errors import Timeout, Unavailable
from app.core.fairness import Caller, to_its_end
from app.core.short_turns import short_turns
from app.settings import Settings
from app.storage import growth
from app.storage.engines import postgresql_pool
from app.storage.growth import Growth
from app.storage.liveness import Liveness, silent
from app.storage.postgresql import ATTEMPTS, GOING_AWAY, LAST_SECONDS, may_begin
from app.storage.query import Observer, Steps
from app.storage.read_queue import Read, ReadQueue, TakesLong, share_of, too_long
from app.storage.tally import Load

T = TypeVar("T")

ROWS_ON_LOOP = 200
"""Rows of a statement of which the loop itself makes objects, in a millisecond; of more a thread does. A page of a
thousand takes 6 ms, in which nobody else would be served."""

SHORT_SECONDS = 0.2
"""Time on a connection that a plan may take before it counts as long."""


class PostgresqlPlans:
    """Plans on a pool of asyncpg's own connections, which prepare each text once."""

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", settings: Settings, liveness: Liveness, opened: int = 1
    ) -> None:
        self.observer: Observer | None = None
        self.offloaded = 0
        """How many times a thread has made the objects of a statement."""
        self._thread = ThreadPoolExecutor(1, "rows")
        self._pool = pool
        self._liveness = liveness
        self._longest = settings.read_timeout.total_seconds()
        # A quarter for long reads: each of them may keep a core of the database busy.
        self._queue = ReadQueue(
            settings.pool_size,
            most_long=max(1, settings.pool_size // 4),
            most_waiting=settings.max_waiting_reads,
            short_seconds=SHORT_SECONDS,
            opened=opened,
        )
        self._growth = Growth(
            opened, settings.pool_size, connect=pool.acquire, grown=self._grown, lacks=lambda: not self._queue.free
        )

    @classmethod
    async def open(cls, url: sa.URL, settings: Settings, liveness: Liveness) -> "PostgresqlPlans":
        pool = await postgresql_pool(url, settings, liveness)
        wanted = growth.at_start(share_of(settings.pool_size), settings.pool_size)
        try:
            opened = await growth.open_together(pool.acquire, wanted)
        except BaseException:
            pool.terminate()
            raise
        return cls(pool, settings, liveness, opened)

    @property
    def waiting(self) -> int:
        """How many plans wait for a connection."""
        return self._queue.waiting

    @property
    def load(self) -> Load:
        """The connections for reads."""
        return Load(self._growth.opened, self._growth.opened - self._queue.free, self._queue.waiting)

    async def run(self, steps: Steps[T], snapshot: bool, caller: Caller) -> T:
        loop = asyncio.get_running_loop()
        read = Read(steps, snapshot, caller, loop.create_future())
        begins = self._queue.start(read)
        self._growth.look()
        if not begins:
            self._queue.add(read)
            await self._admitted(read)
        while True:
            began = monotonic()
            restarts = False
            try:
                read.require_patience()
                result: T = await self._attempts(read)
                return result
            except TakesLong:
                restarts = True
                read.future = loop.create_future()
            finally:
                if restarts:
                    self._queue.restart(read, monotonic() - began)
                else:
                    self._queue.end(read, monotonic() - began)
                self._serve()
            await self._admitted(read)

    async def close(self) -> None:
        await self._growth.close()
        self._thread.shutdown(wait=False)
        try:
            async with asyncio.timeout(LAST_SECONDS):
                await self._pool.close()
        except TimeoutError:
            pass  # the pool has ended what did not end by itself

    def _grown(self) -> None:
        self._queue.grow()
        self._serve()

    def _serve(self) -> None:
        while (read := self._queue.next()) is not None:
            if read.future.cancelled():
                self._queue.end(read, 0.0)
            else:
                read.future.set_result(None)
        self._growth.look()

    async def _admitted(self, read: Read) -> None:
        try:
            await read.future
        except asyncio.CancelledError:
            if read.future.cancelled():
                self._queue.remove(read)
            else:  # its turn came in the same moment
                self._queue.end(read, 0.0)
                self._serve()
            raise

    async def _attempts(self, read: Read) -> Any:
        until = asyncio.get_running_loop().time() + self._longest
        for attempt in range(ATTEMPTS):
            if not await may_begin(attempt, until):
                break
            try:
                connection = await self._pool.acquire()
            except (*GOING_AWAY, asyncpg.PostgresError, OSError):
                continue  # whatever the server has against a connection, nothing was asked yet
            try:
                with self._liveness.over(connection, self._longest + self._liveness.silence):
                    return await self._used(connection, read)
            except asyncpg.QueryCanceledError:
                raise too_long(self._longest) from None
            except (*GOING_AWAY, asyncpg.InterfaceError) as error:
                # A plan only reads, so it may start again on another connection. (A wrong argument is an
                # InterfaceError too, but leaves its connection open.)
                if not isinstance(error, GOING_AWAY) and not _is_closed(connection):
                    raise
        raise Unavailable("The database cannot be reached.")

    async def _used(self, connection: Any, read: Read) -> Any:
        """What the plan returns. Whoever leaves in the middle does not keep the connection from being given back."""
        try:
            result = await self._within_time(connection, read)
        except BaseException as error:
            if isinstance(error, GOING_AWAY):
                _end(connection)
            answers = await asyncio.shield(self._tidied(connection))
            if isinstance(error, Timeout) and not answers:
                raise silent() from None
            raise
        await self._released(connection)
        return result

    async def _within_time(self, connection: Any, read: Read) -> Any:
        look = _Look(self._queue, read, self._longest)
        try:
            async with look.limit:
                return await self._plan(connection, read)
        except TimeoutError:
            if not look.limit.expired():
                raise
        finally:
            look.timer.cancel()
        if look.takes_long:
            raise TakesLong
        raise too_long(self._longest)

    async def _released(self, connection: Any) -> None:
        # What was read is right even when its connection breaks only now.
        with suppress(*GOING_AWAY, asyncpg.InterfaceError):
            await self._pool.release(connection)

    async def _tidied(self, connection: Any) -> bool:
        """End what a plan left begun, also what neither it nor the driver knows of: a caller who leaves after a
        statement was prepared and before it runs leaves the server within a transaction, which the next would get.

        Returns whether the server has answered in time; otherwise the connection is dropped."""
        answers = True
        try:
            await connection.execute("ROLLBACK", timeout=self._liveness.silence)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            answers = False
            _end(connection)
        await self._released(connection)
        return answers

    async def _plan(self, connection: Any, read: Read) -> Any:
        plan = read.steps()
        observer = self.observer
        if read.snapshot:
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        # An exception leaves the transaction open; whoever gives the connection back rolls it back.
        result: Any
        try:
            sql, args = next(plan)
            while True:
                self._queue.require_short(read, sql)
                if observer is not None:
                    observer(sql)
                rows = await connection.fetch(sql, *args)
                if len(rows) <= ROWS_ON_LOOP:
                    sql, args = plan.send(rows)
                    continue
                self.offloaded += 1
                with short_turns:
                    running = asyncio.get_running_loop().run_in_executor(self._thread, _sent, plan, rows)
                    following, result = await to_its_end(running)
                if following is None:
                    break
                sql, args = following
        except StopIteration as stop:
            result = stop.value
        finally:
            plan.close()
        if read.snapshot:
            await connection.execute("COMMIT")
        return result


def _sent(plan: Generator[Any, Any, Any], rows: Any) -> tuple[Any, Any]:
    """The plan's next statement with its arguments; None and the result at its end: no future takes StopIteration."""
    try:
        return plan.send(rows), None
    except StopIteration as stop:
        return None, stop.value


class _Look:
    """Looks at a running read every few milliseconds, and ends it by `limit` where it may not run on.

    An object, because functions that name each other are a reference cycle, which would keep the read's variables."""

    def __init__(self, queue: ReadQueue, read: Read, longest: float) -> None:
        self.limit = asyncio.timeout(None)
        self.takes_long = False
        self._queue = queue
        self._read = read
        self._loop = asyncio.get_running_loop()
        self._ends = self._loop.time() + longest
        self.timer = self._later()

    def _later(self) -> asyncio.TimerHandle:
        return self._loop.call_at(min(self._loop.time() + SHORT_SECONDS, self._ends), self._look)

    def _look(self) -> None:
        self.takes_long = self._queue.must_yield(self._read)
        if self.takes_long or self._loop.time() >= self._ends:
            self.limit.reschedule(self._loop.time())
        else:
            self.timer = self._later()


def _is_closed(connection: Any) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # the pool has taken the broken connection back already
        return True


def _end(connection: Any) -> None:
    """Let nobody have it again, though its socket may not have told of its end yet."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()
