"""A unit's PostgreSQL connection, which sends many statements in few round trips."""

import re
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.util import await_only

from app.storage.deferring import DeferringConnection, Guard, Write
from app.storage.event_log.writing import TAKE_IN_LANE, TAKEN, Appended, LaneInsert
from app.storage.fixed import failed, observe
from app.storage.liveness import Connection

_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
_PARAMETER = re.compile(r"\$(\d+)")
_UNCHANGED = " AND EXISTS (SELECT FROM held)"
_TEXTS_KEPT = 1024


class Overtaken(Exception):
    """What the unit has read was changed before it could be locked. Nothing was changed, and the unit may run again."""


class UnitConnection(DeferringConnection):
    """A connection whose engine commits each statement by itself; this class begins and ends transactions.

    A unit that reads one interaction and then only writes takes two round trips: the read, and one statement that
    checks that nothing has changed, writes everything, takes positions in the event log, and is a transaction of its
    own. Any other unit begins a transaction with its second statement."""

    def __init__(self, engine: sa.Engine, *, optimistic: bool) -> None:
        super().__init__(engine)
        opened: Any = self.connection
        self.driver: Connection = opened.driver_connection
        """asyncpg's connection."""
        self._adapted: Any = opened.dbapi_connection
        self.prepare(optimistic=optimistic)

    def prepare(self, *, optimistic: bool) -> None:
        """Forget everything about the unit before."""
        self.ends = False
        """Whether the last round trip has begun. If it fails with the connection, it may have committed."""
        self._may_read = optimistic
        self._in_transaction = False
        self._has_begun = False
        self._is_overtaken = False
        self._guard: Guard | None = None
        self._kept: list[Write] = []
        self._tables: set[str] = set()

    @property
    def is_idle(self) -> bool:
        """Whether another unit may use it as it is: open, and without a transaction, not even one of SQLAlchemy's."""
        begun = self._in_transaction or self.get_transaction() is not None
        return not (begun or self.invalidated or self.closed)

    def rows(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        self._settle()
        return self._rows(sql, arguments)

    def run(self, sql: str, arguments: Sequence[Any]) -> int:
        self._settle()
        return self._count(sql, arguments)

    def run_many(self, sql: str, arguments: Sequence[Sequence[Any]]) -> None:
        self._settle()
        observe(self, sql, arguments, many=True)
        self._answer(sql, self.driver.executemany(sql, arguments))

    @property
    def may_read_unlocked(self) -> bool:
        return self._may_read

    @property
    def is_one_statement(self) -> bool:
        """Whether the unit has written with one statement only, after one read."""
        return self.ends and not self._has_begun

    def read_unlocked(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        return self._rows(sql, arguments)

    def keep_unchanged(self, guard: Guard) -> None:
        self._guard, self._may_read = guard, False

    def defer(self, writes: Sequence[Write]) -> None:
        self._may_read = False
        tables = {write.table for write in writes}
        if tables & self._tables:
            # All parts of a statement see the same state: a second write of a row would not find the first.
            self._settle()
        self._kept.extend(writes)
        self._tables |= tables

    def _settle(self) -> None:
        if not self._in_transaction:
            self._begin()
        if self._kept:
            self._run(None)

    def finish(self, in_lanes: Sequence[LaneInsert]) -> Sequence[Appended]:
        """Write what was kept, and the events of each lane, and commit. Returns what was appended to the log.

        Raises Overtaken when what the unit has read was changed meanwhile."""
        if self._is_overtaken:
            raise Overtaken
        if not self._in_transaction and len(in_lanes) <= 1:
            if not in_lanes and not self._kept:
                return ()
            self.ends = True
            if not in_lanes:
                self._run(self._guard)
                return ()
            return [self._append(self._guard, in_lanes[0])]
        if not self._in_transaction:
            self._begin()
        if self._kept and not in_lanes:
            self._run(None)
        appended = [self._append(None, each) for each in in_lanes]
        self.ends = True
        ended = self._script("COMMIT")
        self._in_transaction = False
        if ended != "COMMIT":
            # When something has failed in a transaction, the server rolls it back at COMMIT and reports success.
            raise RuntimeError("A unit went on after the database had refused a statement; nothing was changed.")
        return appended

    def undo(self) -> None:
        """Undo the transaction. If the connection fails at that, the server undoes it by itself."""
        self._forget()
        if not self._in_transaction or self.invalidated:
            return
        self._in_transaction = False
        try:
            self._script("ROLLBACK")
        except (sa.exc.DBAPIError, ConnectionError):
            self.invalidate()

    def _begin(self) -> None:
        guard, self._guard = self._guard, None
        self._may_read = False
        # From here on a transaction may be open, even if no answer arrives.
        self._in_transaction = self._has_begun = True
        if guard is None:
            self._script(_BEGIN)
        elif self._script(f"{_BEGIN}; {guard.literal()}") == "SELECT 0":
            self._is_overtaken = True
            raise Overtaken

    def _run(self, guard: Guard | None) -> None:
        if not self._count(*self._joined(guard)) and guard is not None:
            raise Overtaken

    def _append(self, guard: Guard | None, append: LaneInsert) -> Appended:
        rows = self._rows(*self._joined(guard, append))
        if not rows and guard is not None:
            raise Overtaken
        return append.appended(rows)

    def _joined(self, guard: Guard | None, append: LaneInsert | None = None) -> tuple[str, Sequence[Any]]:
        """One statement of what is kept, which is forgotten, and of an insert of events; with its arguments."""
        kept = self._kept
        texts = tuple([(write.sql, *write.named) for write in kept])
        values = [] if guard is None else list(guard.arguments)
        for write in kept:
            values += write.arguments
        if append is not None:
            values += append.arguments
        self._forget()
        return together(
            None if guard is None else guard.template, texts, None if append is None else append.sql
        ), values

    def _forget(self) -> None:
        self._kept = []
        self._tables.clear()

    def _script(self, sql: str) -> str:
        """The status of the last of several statements without parameters."""
        status: str = self._answer(sql, self.driver.execute(sql))
        return status

    def _rows(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        observe(self, sql, arguments)
        rows: Sequence[Any] = self._answer(sql, self.driver.rows(sql, arguments))
        return rows

    def _count(self, sql: str, arguments: Sequence[Any]) -> int:
        """The number of rows that the statement's status names."""
        observe(self, sql, arguments)
        _, _, count = self._answer(sql, self.driver.status(sql, arguments)).rpartition(" ")
        return int(count) if count.isdecimal() else -1

    def _answer(self, sql: str, asked: Awaitable[Any]) -> Any:
        try:
            return await_only(asked)
        except Exception as error:
            try:
                self._adapted._handle_exception(error)
            except Exception as translated:
                failed(self, sql, translated)

    def _execute_context(self, *args: Any, **kwargs: Any) -> Any:
        # Everything that SQLAlchemy executes passes through here.
        self._settle()
        return super()._execute_context(*args, **kwargs)

    def _release_savepoint_impl(self, name: str) -> None:
        try:
            self._settle()
        except Exception:
            # SQLAlchemy would leave the transaction failed, because it takes a release for the end of the savepoint.
            with suppress(sa.exc.DBAPIError, ConnectionError):
                self._rollback_to_savepoint_impl(name)
            raise
        super()._release_savepoint_impl(name)

    def _rollback_to_savepoint_impl(self, name: str) -> None:
        self._forget()
        super()._rollback_to_savepoint_impl(name)


@lru_cache(_TEXTS_KEPT)
def together(guard: str | None, kept: tuple[tuple[str, ...], ...], insert: str | None) -> str:
    """One statement that does the kept writes and appends events. With a guard, it does nothing unless the guard finds
    its rows.

    The kept writes are given as texts, each with the texts of what it refers to. The parameters are those of the guard,
    then of the writes, then of the insert. Its number of rows says whether it took effect. Raises ValueError for a
    write to which no conditions can be added."""
    writes = [text for text, *_ in kept]
    if guard is None and insert is None and len(writes) == 1:
        return writes[0]
    parts, count = [], 0
    condition = "" if guard is None else _UNCHANGED
    if guard is not None:
        count = guard.count("{}")
        parts.append(f"held AS ({guard.format(*(f'${number}' for number in range(1, count + 1)))})")
    *others, last = writes if insert is None and guard is None else (*writes, "")
    if any(" WHERE " not in text.replace("\n", " ") or " OR " in text for text in writes):
        raise ValueError(f"A write that is kept ends with a WHERE without OR: {writes}")
    named = 0
    for number, text in enumerate(others):
        for select in kept[number][1:] if insert is not None else ():
            parts.append(f"named_{named} AS ({_shifted(select, count)}{condition} FOR KEY SHARE)")
            named += 1
        parts.append(f"write_{number} AS ({_shifted(text, count)}{condition})")
        count += _parameters(text)
    if insert is not None:
        # A unit that holds the lane must wait for nobody. So the rows it writes are locked by the guard or before, and
        # the rows
        # it refers to are locked here. The foreign key checks would lock them at the end of the statement.
        condition += "".join(f" AND (SELECT count(*) FROM named_{number}) >= 0" for number in range(named))
        parts.append(f"taken AS ({_shifted(TAKE_IN_LANE, count)}{condition} {TAKEN})")
        last = _shifted(insert, count)
    else:
        last = "SELECT FROM held" if guard is not None else _shifted(last, count)
    return f"WITH {', '.join(parts)} {last}"


def _shifted(sql: str, by: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", sql)


def _parameters(sql: str) -> int:
    return max((int(number) for number in _PARAMETER.findall(sql)), default=0)
