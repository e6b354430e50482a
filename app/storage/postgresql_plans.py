"""Runs plans on PostgreSQL, and shares its connections between callers."""

import asyncio
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any, TypeVar

import asyncpg
import sqlalchemy as sa

from app.core.errors import Timeout, Unavailable
from app.core.fairness import Caller, to_its_end
from app.core.short_turns import short_turns
from app.settings import Settings
from app.storage import growth
from app.storage.growth import Growth
from app.storage.liveness import Connection, Liveness, silent
from app.storage.postgresql import ATTEMPTS, GOING_AWAY, LAST_SECONDS, OUT_OF_DATE, may_begin
from app.storage.query import Observer, Query, Steps
from app.storage.read_connections import ReadConnections
from app.storage.read_limits import ReadLimits
from app.storage.read_queue import Read, ReadQueue, TakesLong, share_of, too_long
from app.storage.tally import Load
from app.storage.trials import IsNew, Trials

T = TypeVar("T")

ROWS_ON_LOOP = 500
"""Up to this many rows, the loop itself converts them, within a millisecond. Above it, a thread does: a page of a
thousand rows takes 6 ms, in which nothing else would be served."""

SHORT_SECONDS = 0.06
"""Time on a connection that a plan may take before it counts as long. Half of the connections may run a caller's short
plans: with more time for each they would keep the database's cores from everybody else."""

Plan = Generator[Query, Any, Any]

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresqlPlans:
    """Plans on asyncpg's own connections, which prepare each text once."""

    def __init__(
        self,
        connections: ReadConnections,
        settings: Settings,
        liveness: Liveness,
        opened: int = 1,
        *,
        attempts: int = ATTEMPTS,
    ) -> None:
        self.observer: Observer | None = None
        self.offloaded = 0
        """How many times a thread has converted the rows of a statement."""
        self._thread = ThreadPoolExecutor(1, "rows")
        self._connections = connections
        self._attempted = attempts
        self._loop = asyncio.get_running_loop()
        self._longest = settings.read_timeout.total_seconds()
        self._silence = liveness.silence
        # A quarter for long reads: each of them may keep a core of the database busy.
        self._queue = ReadQueue(
            settings.pool_size,
            most_long=max(1, settings.pool_size // 4),
            most_waiting=settings.max_waiting_reads,
            short_seconds=SHORT_SECONDS,
            opened=opened,
        )
        self._limits = ReadLimits(self._queue, SHORT_SECONDS, self._longest)
        self._trials = Trials(settings.pool_size, settings.max_waiting_reads)
        self._growth = Growth(
            opened,
            settings.pool_size,
            connect=connections.one,
            grown=self._grown,
            lacks=lambda: not self._queue.free,
        )

    @classmethod
    async def open(
        cls, url: sa.URL, settings: Settings, liveness: Liveness, *, attempts: int = ATTEMPTS
    ) -> "PostgresqlPlans":
        connections = ReadConnections.to(url, settings, liveness)
        wanted = growth.at_start(share_of(settings.pool_size), settings.pool_size)
        try:
            opened = await growth.open_together(connections.one, wanted)
        except BaseException:
            await connections.close(0)
            raise
        return cls(connections, settings, liveness, opened, attempts=attempts)

    @property
    def waiting(self) -> int:
        """How many plans wait for a connection."""
        return self._queue.waiting + self._trials.waiting

    @property
    def load(self) -> Load:
        """The connections for reads."""
        return Load(self._growth.opened, self._growth.opened - self._queue.free, self.waiting)

    async def run(self, steps: Steps[T], snapshot: bool, caller: Caller) -> T:
        queue = self._queue
        read = Read(steps, snapshot, caller, self._loop.create_future())
        begins = queue.start(read)
        if not queue.free:
            self._growth.look()
        if not begins:
            queue.add(read)
            await self._admitted(read)
        while True:
            began = monotonic()
            is_long = False
            try:
                if read.asked:
                    read.require_patience()
                result: T = await self._attempts(read)
                return result
            except (TakesLong, IsNew) as reason:
                is_long = isinstance(reason, TakesLong)
                read.future = self._loop.create_future()
            finally:
                if read.trial is not None:
                    read.end_trial()
                if is_long:
                    queue.restart(read, monotonic() - began)
                else:
                    queue.end(read, monotonic() - began)
                if queue.waiting:
                    self._serve()
            await (self._admitted(read) if is_long else self._tried(read))

    async def close(self) -> None:
        await self._growth.close()
        self._limits.close()
        self._thread.shutdown(wait=False)
        await self._connections.close(LAST_SECONDS)

    async def abandon(self) -> None:
        """Drop every connection now. Reads that still need one raise Unavailable."""
        await self._growth.close()
        await self._connections.close(0)

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
            else:  # its turn came at the same moment
                self._queue.end(read, 0.0)
                self._serve()
            raise

    async def _tried(self, read: Read) -> None:
        """Wait until the read may start again, with a statement that is new of its caller."""
        read.asked = monotonic()
        await self._trials.wait_for(read)
        try:
            if not self._queue.start(read):
                self._queue.add(read)
                await self._admitted(read)
        except BaseException:
            read.end_trial()
            raise

    async def _attempts(self, read: Read) -> Any:
        until = self._loop.time() + self._longest
        for attempt in range(self._attempted):
            if attempt and not await may_begin(attempt, until):
                break
            connection: Connection | None = None
            plan = read.steps()
            try:
                first = next(plan)
                self._queue.require_short(read, first.sql)
                if hash((read.caller, first.sql)) not in self._trials.known and self._queue.has_company(read):
                    self._trials.begin(read)
                connection = self._connections.take(first.sql)
                if connection is None:
                    try:
                        connection = await self._connections.open()
                    except (*GOING_AWAY, asyncpg.PostgresError, OSError):
                        continue  # whatever is wrong with the connection, no statement was sent yet
                return await self._used(connection, read, plan, first)
            except StopIteration as stop:
                return stop.value
            except asyncpg.QueryCanceledError:
                raise too_long(self._longest) from None
            except OUT_OF_DATE:
                self._connections.drop_free()
            except (*GOING_AWAY, asyncpg.InterfaceError) as error:
                # A plan only reads, so it may start again. (A wrong argument does not close the connection.)
                if not isinstance(error, GOING_AWAY) and (connection is None or not connection.is_closed()):
                    raise
            finally:
                plan.close()
        raise Unavailable("The database cannot be reached.")

    async def _used(self, connection: Connection, read: Read, plan: Plan, first: Query) -> Any:
        """What the plan returns, of which `first` is the first statement."""
        now = self._loop.time()
        connection.use.begin(now, self._longest + self._silence)
        limit = self._limits.begin(read, now)
        try:
            result = await self._rest(connection, read, plan, first)
        except BaseException as error:
            self._limits.end(limit)
            reason = self._limits.reason(limit, error)
            if isinstance(reason, (*GOING_AWAY, *OUT_OF_DATE)):
                connection.terminate()  # though its socket may not have reported its end yet
            answers = await asyncio.shield(self._tidied(connection))
            if isinstance(reason, Timeout) and not answers:
                raise silent() from None
            if reason is not error:
                raise reason from None
            raise
        self._limits.end(limit)
        connection.use.end()
        self._connections.give_back(connection)
        return result

    async def _tidied(self, connection: Connection) -> bool:
        """Clean a connection and give it back; drop it if the server does not answer in time. Returns whether it does.

        It ends every transaction that a plan left open, even one that neither the plan nor the driver knows of: a
        caller that leaves after its statement was prepared and before it runs leaves the server inside a transaction,
        and the next caller would get it."""
        answers = True
        try:
            await connection.execute("ROLLBACK", timeout=self._silence)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            answers = False
            connection.terminate()
        connection.use.end()
        self._connections.give_back(connection)
        return answers

    async def _new_rows(self, connection: Connection, read: Read, query: Query) -> Any:
        """The rows of a statement that is new of its caller."""
        if self._queue.has_company(read):
            self._trials.begin(read)
        began = self._loop.time()
        rows = await connection.rows(query.sql, query.args)
        if not read.is_long and self._loop.time() - began < SHORT_SECONDS:
            self._trials.learn(read.caller, query.sql)
        return rows

    async def _rest(self, connection: Connection, read: Read, plan: Plan, query: Query) -> Any:
        observer, known = self.observer, self._trials.known
        if read.snapshot:
            await connection.execute(_BEGIN)
        # An exception leaves the transaction open. It is rolled back when the connection is given back.
        result: Any
        try:
            while True:
                if observer is not None:
                    observer(query.sql)
                if hash((read.caller, query.sql)) in known:
                    rows = await connection.rows(query.sql, query.args)
                else:
                    rows = await self._new_rows(connection, read, query)
                if len(rows) <= ROWS_ON_LOOP:
                    query = plan.send(rows)
                else:
                    self.offloaded += 1
                    with short_turns:
                        running = self._loop.run_in_executor(self._thread, _sent, plan, rows)
                        following, result = await to_its_end(running)
                    if following is None:
                        break
                    query = following
                self._queue.require_short(read, query.sql)
        except StopIteration as stop:
            result = stop.value
        if read.snapshot:
            await connection.execute("COMMIT")
        return result


def _sent(plan: Plan, rows: Any) -> tuple[Query | None, Any]:
    """The plan's next statement; at its end, None and the result. A future cannot carry StopIteration."""
    try:
        return plan.send(rows), None
    except StopIteration as stop:
        return None, stop.value
