"""SQLite's road of plans: reader threads."""

import asyncio
import math
import sqlite3
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from app.storage import query
from app.storage.engines import BUSY_TIMEOUT_MS, connect_sqlite
from app.storage.query import Observer, Query, Row, Steps
from app.storage.sqlite_commands import settable

T = TypeVar("T")

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
                error = query.too_long() if _is_interrupted(raised) else settable(raised)
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
