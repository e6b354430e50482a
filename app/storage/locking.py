"""Reads one row in order to change it."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from app.storage.deferring import DeferringConnection, Guard
from app.storage.fixed import Fixed


class LockingRead:
    """A SELECT of one row by the parameter `key`, locked in the tables that share it as their `id`.

    On PostgreSQL, a unit that begins with this reads without a lock and outside a transaction. The lock is taken with
    the unit's next statement, which also checks that the rows are still the same. If they are not, the unit starts
    again and locks first. The number `xmin` of the writing transaction identifies each version of a row."""

    __slots__ = ("_guard", "_locking", "_stamped", "_stamps")

    def __init__(self, core: sa.Select[Any], tables: Sequence[sa.Table]) -> None:
        first, *others = names = [table.name for table in tables]
        stamps = (sa.literal_column(f"{name}.xmin", sa.BigInteger).label(f"{name}_xmin") for name in names)
        # All rows are locked: after a wait, PostgreSQL reads only the locked rows again.
        self._locking = Fixed(core.with_for_update(of=list(tables)))
        self._stamped = Fixed(core.add_columns(*stamps))
        self._stamps = len(names)
        joined = "".join(f" JOIN {name} ON {name}.id = {first}.id" for name in others)
        unchanged = "".join(f" AND {name}.xmin = {{}}::xid" for name in names)
        of = ", ".join(names)
        self._guard = f"SELECT 1 FROM {first}{joined} WHERE {first}.id = {{}}{unchanged} FOR UPDATE OF {of}"

    def row(self, connection: sa.Connection, key: int) -> Sequence[Any] | None:
        """The row, or None when there is none."""
        if not isinstance(connection, DeferringConnection) or not connection.may_read_unlocked:
            rows = self._locking.rows(connection, {"key": key})
            return rows[0] if rows else None
        compiled = self._stamped.compiled(connection.dialect, {"key": key})
        found = connection.read_unlocked(compiled.sql, compiled.arguments({"key": key}))
        if not found:
            return None
        row = compiled.row(found[0])
        connection.keep_unchanged(Guard(self._guard, (key, *row[-self._stamps :])))
        whole: Sequence[Any] = row[: -self._stamps]
        return whole
