"""Runs commands on SQLite: one writer thread that commits in groups."""

import asyncio
import random
import sqlite3
import time
from collections.abc import Hashable, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.core.company import Company
from app.core.errors import OutcomeUnknown, Unavailable
from app.core.fairness import Caller, FairQueue, too_many_wait
from app.settings import Settings
from app.storage.engines import BUSY_TIMEOUT_MS, WriterThread
from app.storage.event_log.writing import Appended, Committed, Entry, append_sqlite, encode, lane_count
from app.storage.refusals import sqlite_failed_commit, sqlite_refusal
from app.storage.sqlite_checkpoints import PAGES_OF_WRITER, Checkpoints
from app.storage.tally import Load, Tally
from app.storage.work import OpenWork, Unit

T = TypeVar("T")

ATTEMPTS = 4
_LARGEST_GROUP = 256
_MOST_OF_ONE_CALLER = 64
_MOST_IN_COMPANY = 16
"""Of one caller while there are others, who wait for the group before their own, and whose answers wait for its."""

_LONGEST_GROUP = 0.012
"""After how many seconds a group is committed. A unit that arrives meanwhile waits for it, and then for its own."""


class _Outcome(NamedTuple):
    value: Any
    error: BaseException | None
    seconds: float
    """How long the unit occupied the writer, without its part of the commit."""


_Done = tuple[list[_Outcome], Sequence[Appended]]
_Entry = tuple[Unit[Any], "asyncio.Future[Any]"]
_Group = list[tuple[Caller, _Entry]]


class SqliteCommands:
    """The writer. Commands queue while its thread works; then one hop runs a group of them in one transaction.

    A group holds at most 64 units of one caller, 16 while there are others, and ends after 12 ms, so that no caller
    delays another for long. Units that have not run by then come first in the next groups."""

    def __init__(
        self,
        thread: WriterThread,
        connection: sa.Connection,
        checkpoints: Checkpoints,
        open_work: OpenWork,
        most_waiting: int,
    ) -> None:
        self.dialect = connection.dialect
        self.engine = connection.engine
        self.committed: Committed = lambda _: None
        self.tally = Tally()
        self._thread = thread
        self._connection = connection
        self._checkpoints = checkpoints
        self._driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
        self._cursor = self._driver.cursor()
        self._open_work = open_work
        self._most_waiting = most_waiting
        self._queue: FairQueue[_Entry] = FairQueue(_MOST_OF_ONE_CALLER)
        self._company = Company()
        self._working = False
        self._idle = asyncio.Event()
        self._idle.set()

    @classmethod
    async def open(cls, path: str, open_work: OpenWork, settings: Settings) -> "SqliteCommands":
        thread = await WriterThread.start(path)

        def start() -> "SqliteCommands":
            with ExitStack() as opened:
                connection = opened.enter_context(thread.engine().connect())
                lane_count(connection)  # fails when our tables are missing
                connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint = {PAGES_OF_WRITER}")
                opened.pop_all()
            return cls(thread, connection, Checkpoints(path), open_work, settings.max_waiting_commands)

        try:
            return await thread.run(start)
        except BaseException:
            await thread.close()
            raise

    @property
    def load(self) -> Load:
        """The load of the only writer."""
        return Load(1, int(self._working), len(self._queue))

    async def run(self, unit: Unit[T], caller: Caller, subject: Hashable | None) -> T:
        """The unit's result once it is durable. A queued unit runs even when its caller is cancelled.

        `subject` makes no difference: there is one connection, and units use it one after another."""
        if self._queue.waiting(caller) >= self._most_waiting:
            raise too_many_wait(self._most_waiting)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if caller is not self._company.latest:
            self._company.note(caller)
        self._queue.push(caller, (unit, future))
        if not self._working:
            self._working = True
            self._idle.clear()
            # One turn of the loop later, so that commands that start together share a commit.
            future.get_loop().call_soon(self._start)
        return await future

    async def forget_deleted(self) -> bool:
        """Empty the write-ahead log, which holds earlier versions of pages. Returns False while a reader still uses
        it."""
        return await self._thread.run(self._empty_log)

    async def close(self) -> None:
        await self._idle.wait()
        await self._thread.run(self._checkpoints.close)
        await self._thread.run(self._connection.close)
        await self._thread.run(self.engine.dispose)
        await self._thread.close()

    def _start(self) -> None:
        group: _Group = []
        self._queue.most_running = _MOST_IN_COMPANY if self._company.is_there else _MOST_OF_ONE_CALLER
        while len(group) < _LARGEST_GROUP and (found := self._queue.pop()) is not None:
            group.append(found)
        units = [unit for _, (unit, _) in group]
        answer = self._thread.run(lambda: self._run_group(units))
        answer.add_done_callback(lambda done: self._answer(group, done))

    def _answer(
        self,
        group: _Group,
        done: "asyncio.Future[_Done]",
    ) -> None:
        crash = done.exception()
        outcomes, appended = ([_Outcome(None, crash, 0.0)] * len(group), ()) if crash else done.result()
        self.tally.commits += 1
        self.tally.units += len(outcomes)
        for caller, entry in reversed(group[len(outcomes) :]):
            self._queue.put_back(caller, entry)
        for (caller, (_, future)), outcome in zip(group, outcomes, strict=False):
            self._queue.done(caller, outcome.seconds)
            if future.done():
                continue
            if outcome.error is None:
                future.set_result(outcome.value)
            else:
                future.set_exception(outcome.error)
        if appended:
            self.committed(appended)
        if self._queue:
            self._start()
        else:
            self._working = False
            self._idle.set()

    # The methods below run in the writer's thread.

    def _empty_log(self) -> bool:
        # Between two groups, and without waiting for readers: otherwise the next group would wait too.
        self._cursor.execute("PRAGMA busy_timeout = 0")
        try:
            with self._checkpoints.lock:
                (busy, _, _) = self._cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self._cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        return not busy

    def _run_group(self, units: Sequence[Unit[Any]]) -> _Done:
        """The outcomes of the first units, at least of one, and what they have appended to the log."""
        error: BaseException
        for attempt in range(ATTEMPTS):
            if attempt:
                self.tally.retries += 1
                time.sleep(random.uniform(0.5, 1) * 0.02 * 2**attempt)
            try:
                return self._transaction(units)
            except Exception as raised:
                error = raised
                if not _is_busy(raised):
                    break
        else:
            # Another process holds the file: trying each unit alone would only multiply the wait.
            return [_Outcome(None, Unavailable("The database is busy; nothing was changed."), 0.0) for _ in units], ()
        if isinstance(error, OutcomeUnknown):
            return [_Outcome(None, error, 0.0) for _ in units], ()
        if len(units) == 1:
            return [_Outcome(None, sqlite_refusal(error) or error, 0.0)], ()
        # One of them spoilt the commit of all (a deferred constraint, a full disk): run each of them alone.
        alone = [self._run_group([unit]) for unit in units]
        return [outcomes[0] for outcomes, _ in alone], [each for _, appended in alone for each in appended]

    def _transaction(self, units: Sequence[Unit[Any]]) -> _Done:
        execute = self._cursor.execute
        entries: list[tuple[Any, Entry]] = []
        execute("BEGIN IMMEDIATE")
        try:
            outcomes = self._all_within(units, entries) if len(units) > 1 else [self._alone(units[0], entries)]
            if outcomes[-1].error is not None and len(units) == 1:
                execute("ROLLBACK")
                return outcomes, ()
            appended = [append_sqlite(self._cursor, entries)] if entries else ()
            self._commit()
        except BaseException:
            if self._driver.in_transaction:
                execute("ROLLBACK")
            raise
        return outcomes, appended

    def _commit(self) -> None:
        try:
            self._cursor.execute("COMMIT")
        except sqlite3.Error as error:
            raise sqlite_failed_commit(error) or error from None
        self._checkpoints.committed(self._driver.total_changes)

    def _alone(self, unit: Unit[Any], entries: list[tuple[Any, Entry]]) -> _Outcome:
        began = time.perf_counter()
        try:
            work = self._open_work(self._connection)
            value = unit(work)
            work.left = None  # nothing here knows what else the unit has written
            if work.events:
                entries += encode(work.events, work.now, self.dialect)
        except BaseException as error:
            if _is_busy(error) or not self._driver.in_transaction:
                raise
            return _Outcome(None, sqlite_refusal(error) or settable(error), time.perf_counter() - began)
        return _Outcome(value, None, time.perf_counter() - began)

    def _all_within(self, units: Sequence[Unit[Any]], entries: list[tuple[Any, Entry]]) -> list[_Outcome]:
        outcomes = []
        seconds = 0.0
        for unit in units:
            outcome = self._within(unit, entries)
            outcomes.append(outcome)
            seconds += outcome.seconds
            if seconds > _LONGEST_GROUP:
                break
        return outcomes

    def _within(self, unit: Unit[Any], entries: list[tuple[Any, Entry]]) -> _Outcome:
        # On the driver's cursor: through SQLAlchemy, a savepoint costs more than most units do.
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


def settable(error: BaseException) -> BaseException:
    """The error in a form that a future accepts."""
    # A future refuses StopIteration, and its caller would wait forever.
    return RuntimeError("a unit raised StopIteration") if isinstance(error, StopIteration) else error
