"""Look-ups by a key that SQLite answers on the loop itself."""

import sqlite3
from collections.abc import Callable
from time import perf_counter
from typing import TypeVar

from app.core.fairness import Caller
from app.storage.engines import ConfigurationError, connect_sqlite, is_interrupted
from app.storage.query import Steps
from app.storage.sqlite_plans import SqlitePlans

T = TypeVar("T")

LONGEST = 0.0005
"""Seconds that a look-up may keep the loop. One that took longer had to wait for a core, or for the disk; the second
one in a row most likely for the disk."""

PAUSE = 20
"""For how many times as long as such a look-up took, or one that was given up, the readers have all others."""

MOST_STEPS = 5_000
"""Steps of SQLite's virtual machine after which the statement of a look-up is given up: a tenth of a millisecond."""


class Lookups:
    """A read-only connection of the loop's own, beside the readers. The way to a reader's thread and back takes half as
    much processor time as a look-up."""

    def __init__(self, plans: SqlitePlans, time: Callable[[], float] = perf_counter) -> None:
        self.done = 0
        """How many look-ups were answered here."""
        self._plans = plans
        self._time = time
        self._connection: sqlite3.Connection | None = None
        self._not_before = 0.0
        self._was_slow = False
        self._looks = 0
        self._elsewhere = 0

    async def run(self, steps: Steps[T], caller: Caller) -> T:
        """The result of a plan that finds one row by its key.

        It is read here unless the readers have something else to do: each time that the loop asked SQLite, it would
        wait for the interpreter. Errors as of `SqlitePlans.run`."""
        if self._plans.asked <= self._elsewhere:
            found = self._at_once(steps)
            if found is not None:
                return found[0]
        self._elsewhere += 1
        try:
            return await self._plans.run(steps, snapshot=False, caller=caller)
        finally:
            self._elsewhere -= 1

    def close(self) -> None:
        """Close the connection. Another look-up would open one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _at_once(self, steps: Steps[T]) -> tuple[T] | None:
        """What the plan returns. None when it is left to a reader: nothing was changed by the attempt."""
        began = self._time()
        if began < self._not_before:
            return None
        self._looks = 0
        found: tuple[T] | None = None
        try:
            found = self._answer(steps)
        except ConfigurationError:
            pass  # the file cannot be opened now
        except sqlite3.Error as error:
            # What is not given up is a fault that the next attempt meets too: then it is the reader's to tell.
            if not is_interrupted(error):
                self.close()
        finally:
            now = self._time()
            is_slow = now - began > LONGEST
            if found is None or (is_slow and self._was_slow):
                self._not_before = now + PAUSE * (now - began)
            self._was_slow = is_slow
        return found

    def _answer(self, steps: Steps[T]) -> tuple[T]:
        connection, observer = self._connected(), self._plans.observer
        plan = steps()
        try:
            sql, args = next(plan)
            while True:
                if observer is not None:
                    observer(sql)
                sql, args = plan.send(connection.execute(sql, args).fetchall())
        except StopIteration as stop:
            self.done += 1
            return (stop.value,)
        finally:
            plan.close()

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = connect_sqlite(self._plans.path, read_only=True, waits=False)
            connection.set_progress_handler(self._is_over, MOST_STEPS)
            self._connection = connection
        return self._connection

    def _is_over(self) -> bool:
        # SQLite counts the steps of all runs of a statement: the first call may come early in this one.
        self._looks += 1
        return self._looks > 1
