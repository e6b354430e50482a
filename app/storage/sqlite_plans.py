"""Runs plans on SQLite: reader threads, shared between callers."""

import asyncio
import sqlite3
from queue import SimpleQueue
from threading import Lock, Thread
from time import monotonic, thread_time
from typing import Any, TypeVar

import structlog

from app.core.errors import Unavailable
from app.core.fairness import Caller
from app.core.short_turns import Spell, short_turns
from app.settings import Settings
from app.storage.engines import BUSY_TIMEOUT_MS, connect_sqlite, is_interrupted
from app.storage.query import Observer, Steps
from app.storage.read_queue import Read, ReadQueue, TakesLong, too_long
from app.storage.sqlite_commands import settable
from app.storage.sqlite_process import SqliteProcess
from app.storage.tally import Load

T = TypeVar("T")

Connection = sqlite3.Connection | SqliteProcess

_log = structlog.get_logger(__name__)

SHORT_SECONDS = 0.02
"""Processor time of a reader that a plan may use before it counts as long."""

_WAITS_IN_IT = 25  # a short plan may take this many times as long when it waits for the file or for other threads
_STEPS_BETWEEN_LOOKS = 200_000  # of SQLite's virtual machine: about a millisecond


class SqlitePlans:
    """The readers: threads, each with a read-only connection. A whole plan is one hop to a thread."""

    def __init__(self, path: str, settings: Settings) -> None:
        self.observer: Observer | None = None
        self.path = path
        self.longest = settings.read_timeout.total_seconds()
        threads = settings.reader_threads
        self._short_turns = Spell(short_turns)  # while callers read together
        self._queue = ReadQueue(
            threads,
            most_long=max(1, threads // 2),
            most_waiting=settings.max_waiting_reads,
            short_seconds=SHORT_SECONDS,
            met=self._short_turns.prolong,
        )
        self._readers = threads
        self._lock = Lock()
        # The reads that run now, for the next thread that is free; None ends a thread. There are more threads than
        # readers, so that each read finds one of its class.
        self._short = SimpleQueue[Read | None]()
        self._long = SimpleQueue[Read | None]()
        self._threads = [
            *(
                Thread(target=self._serve, args=(self._short, _Reader), name=f"sqlite-reader-{number}", daemon=True)
                for number in range(threads)
            ),
            *(
                Thread(
                    target=self._serve, args=(self._long, _LongReader), name=f"sqlite-long-reader-{number}", daemon=True
                )
                for number in range(self._queue.most_long)
            ),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many plans wait for a reader."""
        return self._queue.waiting

    @property
    def asked(self) -> int:
        """How many plans run or wait."""
        return self._readers - self._queue.free + self._queue.waiting

    @property
    def load(self) -> Load:
        """The readers."""
        return Load(self._readers, self._readers - self._queue.free, self._queue.waiting)

    async def run(self, steps: Steps[T], snapshot: bool, caller: Caller) -> T:
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        read = Read(steps, snapshot, caller, future)
        with self._lock:
            if self._queue.start(read):
                self._short.put(read)
            elif self._queue.add(read):
                self._hand_out()
        try:
            return await future
        except asyncio.CancelledError:
            # A reader that takes it sees that its future is cancelled.
            with self._lock:
                self._queue.remove(read)
            raise

    async def close(self) -> None:
        self._short_turns.end()
        for _ in self._threads:
            self._short.put(None)
            self._long.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join, BUSY_TIMEOUT_MS / 1000)
        with self._lock:
            self._hand_out()
        for given in (self._short, self._long):
            while not given.empty():
                if (read := given.get()) is not None and not read.future.done():
                    read.future.set_exception(Unavailable("The database is closed."))

    # The methods below run in the readers' threads.

    def _serve(self, given: SimpleQueue[Read | None], make: "type[_Reader]") -> None:
        reader = make(self, self._queue)
        while (read := given.get()) is not None:
            while read is not None:
                began = monotonic()
                if read.future.cancelled():
                    read = self._next_after(read, 0.0)
                    continue
                try:
                    read.require_patience()
                    value, error = reader.plan(read, began), None
                except TakesLong:
                    read = self._next_after(read, monotonic() - began, restarts=True)
                    continue
                except BaseException as raised:
                    value, error = None, settable(raised)
                future = read.future
                # Before the answer: after it, the loop competes for the interpreter.
                read = self._next_after(read, monotonic() - began, reader.used)
                try:  # noqa: SIM105 - a context is three calls more for each read
                    future.get_loop().call_soon_threadsafe(_settle, future, value, error)
                except RuntimeError:
                    pass  # the loop is closed, and nobody waits
                del future, value, error
        reader.close()

    def _next_after(
        self, ended: Read, seconds: float, used: float | None = None, *, restarts: bool = False
    ) -> Read | None:
        """The read that the thread goes on with."""
        with self._lock:
            was_long = ended.is_long
            if restarts:
                self._queue.restart(ended, seconds)
            else:
                self._queue.end(ended, seconds, used)
            return self._hand_out(was_long) if self._queue.waiting else None

    def _hand_out(self, is_long: bool | None = None) -> Read | None:
        """Give each read that may run now to a thread of its class. One of this class is kept, and returned."""
        kept: Read | None = None
        while (read := self._queue.next()) is not None:
            if kept is None and read.is_long is is_long:
                kept = read
            else:
                (self._long if read.is_long else self._short).put(read)
        return kept


class _Reader:
    """One thread's connection, and the time limit of the plan that runs on it."""

    def __init__(self, plans: SqlitePlans, queue: ReadQueue) -> None:
        self._plans = plans
        self._queue = queue
        self._connection: Connection | None = None
        self._read: Read | None = None
        self._began = 0.0
        self._first_look: float | None = None
        self._takes_long = False
        self.used: float | None = None
        """Seconds of processor time that the last plan took; None for a short one, which is not asked."""

    def plan(self, read: Read, began: float) -> Any:
        """What the plan returns. Raises TakesLong when a short plan turns out to be long, Timeout, and the plan's own
        errors."""
        self._read = read
        self._began = began
        self._first_look = None
        self._takes_long = False
        self.used = None
        try:
            return self._timed(read)
        except _Interrupted:
            pass
        except sqlite3.Error as error:
            if not is_interrupted(error):
                # The file or the connection may be the cause: the next plan gets a new connection.
                self.close()
                raise
        finally:
            self._read = None
        if self._takes_long:
            raise TakesLong
        raise too_long(self._plans.longest)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _timed(self, read: Read) -> Any:
        return self._run(self._connected(), read)

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> Connection:
        connection = connect_sqlite(self._plans.path, read_only=True)
        connection.set_progress_handler(self._is_over, _STEPS_BETWEEN_LOOKS)
        return connection

    def _is_over(self) -> bool:
        read = self._read
        if read is None:  # between two plans
            return False
        seconds = monotonic() - self._began
        if seconds > self._plans.longest or read.future.cancelled():
            return True
        processor = thread_time()
        if self._first_look is None:  # at the first check: most plans finish earlier and never ask
            self._first_look = processor
        is_used_up = processor - self._first_look > SHORT_SECONDS or seconds > SHORT_SECONDS * _WAITS_IN_IT
        self._takes_long = is_used_up and self._queue.must_yield(read)
        return self._takes_long

    def _run(self, connection: Connection, read: Read) -> Any:
        plan = read.steps()
        observer = self._plans.observer
        require_short = self._queue.require_short
        if read.snapshot:
            connection.execute("BEGIN")
        try:
            sql, args = next(plan)
            while True:
                require_short(read, sql)
                if observer is not None:
                    observer(sql)
                rows = connection.execute(sql, args).fetchall()
                sql, args = plan.send(rows)
                # Many statements may each be too short for SQLite to call this.
                if self._is_over():
                    raise _Interrupted
        except StopIteration as stop:
            return stop.value
        finally:
            plan.close()
            if read.snapshot and connection.in_transaction:
                connection.execute("COMMIT")


class _LongReader(_Reader):
    """A thread for long plans. Its statements run in a process of their own, what is made of their rows here."""

    def _timed(self, read: Read) -> Any:
        with short_turns:
            since = self._used()
            value = self._run(self._connected(), read)
            self.used = self._used() - since
            return value

    def _used(self) -> float:
        connection = self._connected()
        return thread_time() + (connection.used if isinstance(connection, SqliteProcess) else 0.0)

    def _connected(self) -> Connection:
        if isinstance(self._connection, SqliteProcess) and self._connection.has_ended:
            self.close()
        return super()._connected()

    def _connect(self) -> Connection:
        try:
            return SqliteProcess(self._plans.path, self._is_over)
        except OSError as error:
            _log.warning("reader_process_not_started", error=str(error))
            return super()._connect()


class _Interrupted(Exception):
    """The plan has used up its time, or nobody waits for it any more."""


def _settle(future: "asyncio.Future[Any]", value: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
