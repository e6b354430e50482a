"""SQLite's two roads: one writer thread that commits in groups, and reader threads."""

import asyncio
import math
import random
import sqlite3
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.core.errors import Unavailable
from app.storage import query
from app.storage.engines import BUSY_TIMEOUT_MS, WriterThread, connect_sqlite
from app.storage.event_log.writing import Entry, append_sqlite, encode, lane_count
from app.storage.query import Observer, Query, Row, Steps
from app.storage.work import OpenWork, Unit

T = TypeVar("T")

ATTEMPTS = 4
_LARGEST_GROUP = 256


class _Outcome(NamedTuple):
    value: Any
    error: BaseException | None


class SqliteCommands:
    """The writer. While its thread works, commands queue; then one hop runs them all in one transaction."""

    def __init__(self, thread: WriterThread, connection: sa.Connection, open_work: OpenWork) -> None:
        self.dialect = connection.dialect
        self.engine = connection.engine
        self.committed: Callable[[], None] = lambda: None
        self._thread = thread
        self._connection = connection
        self._driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
        self._cursor = self._driver.cursor()
        self._open_work = open_work
        self._waiting: list[tuple[Unit[Any], asyncio.Future[Any]]] = []
        self._working = False
        self._idle = asyncio.Event()
        self._idle.set()

    @classmethod
    async def open(cls, path: str, open_work: OpenWork) -> "SqliteCommands":
        thread = await WriterThread.start(path)

        def start() -> "SqliteCommands":
            with ExitStack() as opened:
                connection = opened.enter_context(thread.engine().connect())
                lane_count(connection)  # fails without our tables
                opened.pop_all()
            return cls(thread, connection, open_work)

        try:
            return await thread.run(start)
        except BaseException:
            await thread.close()
            raise

    async def run(self, unit: Unit[T]) -> T:
        """The unit's result once it is durable. The unit is queued whatever becomes of the caller."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((unit, future))
        if not self._working:
            self._working = True
            self._idle.clear()
            # A turn of the loop later, so that commands that start together share a commit.
            future.get_loop().call_soon(self._start)
        return await future

    async def close(self) -> None:
        await self._idle.wait()
        await self._thread.run(self._connection.close)
        await self._thread.run(self.engine.dispose)
        await self._thread.close()

    def _start(self) -> None:
        group, self._waiting = self._waiting[:_LARGEST_GROUP], self._waiting[_LARGEST_GROUP:]
        units = [unit for unit, _ in group]
        answer = self._thread.run(lambda: self._run_group(units))
        answer.add_done_callback(lambda done: self._answer(group, done))

    def _answer(
        self,
        group: list[tuple[Unit[Any], asyncio.Future[Any]]],
        done: "asyncio.Future[tuple[list[_Outcome], bool]]",
    ) -> None:
        crash = done.exception()
        outcomes, recorded = ([_Outcome(None, crash)] * len(group), False) if crash else done.result()
        for (_, future), outcome in zip(group, outcomes, strict=True):
            if future.done():
                continue
            if outcome.error is None:
                future.set_result(outcome.value)
            else:
                future.set_exception(outcome.error)
        if recorded:
            self.committed()
        if self._waiting:
            self._start()
        else:
            self._working = False
            self._idle.set()

    # What follows runs in the writer's thread.

    def _run_group(self, units: Sequence[Unit[Any]]) -> tuple[list[_Outcome], bool]:
        error: BaseException
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(random.uniform(0.5, 1) * 0.02 * 2**attempt)
            try:
                return self._transaction(units)
            except Exception as raised:
                error = raised
                if not _is_busy(raised):
                    break
        else:
            # Who holds the file keeps it from all of them: to try each alone would only multiply the wait.
            return [_Outcome(None, Unavailable("The database is busy; nothing was changed.")) for _ in units], False
        if len(units) == 1:
            return [_Outcome(None, error)], False
        # One of them spoilt the commit of all (a deferred constraint, a full disk): let each stand alone.
        alone = [self._run_group([unit]) for unit in units]
        return [outcomes[0] for outcomes, _ in alone], any(recorded for _, recorded in alone)

    def _transaction(self, units: Sequence[Unit[Any]]) -> tuple[list[_Outcome], bool]:
        execute = self._cursor.execute
        entries: list[tuple[Any, Entry]] = []
        execute("BEGIN IMMEDIATE")
        try:
            if len(units) == 1:
                outcomes = [self._alone(units[0], entries)]
            else:
                outcomes = [self._within(unit, entries) for unit in units]
            if outcomes[-1].error is not None and len(units) == 1:
                execute("ROLLBACK")
                return outcomes, False
            if entries:
                append_sqlite(self._cursor, entries)
            execute("COMMIT")
        except BaseException:
            if self._driver.in_transaction:
                execute("ROLLBACK")
            raise
        return outcomes, bool(entries)

    def _alone(self, unit: Unit[Any], entries: list[tuple[Any, Entry]]) -> _Outcome:
        try:
            work = self._open_work(self._connection)
            value = unit(work)
            if work.events:
                entries += encode(work.events, work.now, self.dialect)
        except BaseException as error:
            if _is_busy(error) or not self._driver.in_transaction:
                raise
            return _Outcome(None, _settable(error))
        return _Outcome(value, None)

    def _within(self, unit: Unit[Any], entries: list[tuple[Any, Entry]]) -> _Outcome:
        # On the driver's cursor: through SQLAlchemy a savepoint costs more than most units do.
        self._cursor.execute("SAVEPOINT unit")
        outcome = self._alone(unit, entries)
        if outcome.error is not None:
            self._cursor.execute("ROLLBACK TO unit")
        self._cursor.execute("RELEASE unit")
        return outcome


def _is_busy(error: BaseException) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, sqlite3.OperationalError) and (getattr(cause, "sqlite_errorcode", 0) & 0xFF) in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )


def _settable(error: BaseException) -> BaseException:
    # A future refuses a StopIteration, and its caller would wait for ever.
    return RuntimeError("a unit raised StopIteration") if isinstance(error, StopIteration) else error


_STEPS_BETWEEN_LOOKS = 200_000  # of SQLite's machine: about a millisecond

_Job = tuple[Callable[[], Generator[Query, Sequence[Row], Any]], bool, "asyncio.Future[Any]"]


class SqlitePlans:
    """The readers: threads, each with a read-only connection; a whole plan is one hop."""

    def __init__(self, path: str, threads: int) -> None:
        self.observer: Observer | None = None
        self._path = path
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = [
            Thread(target=self._serve, name=f"sqlite-reader-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, steps: Steps[T], snapshot: bool) -> T:
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put((steps, snapshot, future))
        return await future

    async def close(self) -> None:
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join, BUSY_TIMEOUT_MS / 1000)

    # What follows runs in the readers' threads.

    def _serve(self) -> None:
        connection: sqlite3.Connection | None = None
        until = math.inf

        def is_late() -> bool:
            return time.monotonic() > until

        while (job := self._jobs.get()) is not None:
            steps, snapshot, future = job
            if future.cancelled():
                continue
            value, error = None, None
            try:
                if connection is None:
                    connection = connect_sqlite(self._path, read_only=True)
                    connection.set_progress_handler(is_late, _STEPS_BETWEEN_LOOKS)
                until = time.monotonic() + query.LONGEST_READ
                value = self._plan(connection, steps, snapshot)
            except BaseException as raised:
                error = query.too_long() if _is_interrupted(raised) else _settable(raised)
                if isinstance(raised, sqlite3.Error) and connection is not None:
                    # It may be the file or the connection that is at fault: the next plan gets a new one.
                    connection.close()
                    connection = None
            with suppress(RuntimeError):  # the loop is gone, and nobody waits
                future.get_loop().call_soon_threadsafe(_settle, future, value, error)
            del job, steps, future, value, error
        if connection is not None:
            connection.close()

    def _plan(self, connection: sqlite3.Connection, steps: Steps[T], snapshot: bool) -> T:
        plan = steps()
        observer = self.observer
        if snapshot:
            connection.execute("BEGIN")
        try:
            sql, args = next(plan)
            while True:
                if observer is not None:
                    observer(sql)
                sql, args = plan.send(connection.execute(sql, args).fetchall())
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            plan.close()
            if snapshot and connection.in_transaction:
                connection.execute("COMMIT")


def _is_interrupted(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT


def _settle(future: "asyncio.Future[Any]", value: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
