"""The protocol of connections that send several statements of a unit together."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa


class Write(NamedTuple):
    """An UPDATE, DELETE or INSERT … SELECT of one table, with the values for the driver.

    The text ends with a WHERE clause whose conditions must all hold. `named` are SELECTs of the rows that the written
    row will refer to; they take the same parameters, and also end with a WHERE clause."""

    table: str
    sql: str
    arguments: Sequence[Any]
    named: tuple[str, ...] = ()


class Guard(NamedTuple):
    """A SELECT that locks the rows that a unit has read. It returns nothing when they have changed since.

    `template` has a place for each of the arguments."""

    template: str
    arguments: tuple[int, ...]

    def literal(self) -> str:
        """The statement with its arguments filled in."""
        key, *stamps = self.arguments
        return self.template.format(int(key), *(f"'{int(stamp)}'" for stamp in stamps))


class DeferringConnection(sa.Connection):
    """A connection that needs fewer round trips than its unit has statements.

    It may keep a write until the next statement of the unit. It begins the transaction with the second read."""

    def rows(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """The rows that a statement returns."""
        raise NotImplementedError

    def run(self, sql: str, arguments: Sequence[Any]) -> int:
        """Write; returns the number of rows written."""
        raise NotImplementedError

    def run_many(self, sql: str, arguments: Sequence[Sequence[Any]]) -> None:
        """Write once for each set of arguments."""
        raise NotImplementedError

    @property
    def may_read_unlocked(self) -> bool:
        """Whether the unit has done nothing yet, so that a guard can later lock what it reads."""
        raise NotImplementedError

    def read_unlocked(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """The rows of a SELECT that runs outside a transaction."""
        raise NotImplementedError

    def keep_unchanged(self, guard: Guard) -> None:
        """Lock the rows with this guard later. If the guard then finds nothing, the unit starts again."""
        raise NotImplementedError

    def defer(self, writes: Sequence[Write]) -> None:
        """Keep these writes for later. No two of them may write the same row."""
        raise NotImplementedError
