"""What a connection offers that does statements of a unit together."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa


class Write(NamedTuple):
    """An UPDATE, DELETE or INSERT … SELECT of one table, and the driver's values.

    The text ends with a WHERE whose conditions all have to hold. `named` are SELECTs, with the same parameters, of the
    rows of other tables that the written row will name; they end with a WHERE too."""

    table: str
    sql: str
    arguments: Sequence[Any]
    named: tuple[str, ...] = ()


class Guard(NamedTuple):
    """A SELECT that locks the rows that a unit has read, and finds nothing when they have changed since.

    `template` has a place for each of the arguments."""

    template: str
    arguments: tuple[int, ...]

    def literal(self) -> str:
        """The statement with its arguments in it."""
        key, *stamps = self.arguments
        return self.template.format(int(key), *(f"'{int(stamp)}'" for stamp in stamps))


class DeferringConnection(sa.Connection):
    """A connection of a unit that needs fewer round trips than the unit has statements.

    A write may be kept until the unit's next statement, and the transaction is begun by its second read."""

    def rows(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """The rows that a statement returns."""
        raise NotImplementedError

    def run(self, sql: str, arguments: Sequence[Any]) -> int:
        """How many rows a statement has written."""
        raise NotImplementedError

    def run_many(self, sql: str, arguments: Sequence[Sequence[Any]]) -> None:
        """Write once for each of the arguments."""
        raise NotImplementedError

    @property
    def may_read_unlocked(self) -> bool:
        """Whether the unit has done nothing yet, so that what it reads can be locked later by a guard."""
        raise NotImplementedError

    def read_unlocked(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """The rows of a SELECT outside of a transaction."""
        raise NotImplementedError

    def keep_unchanged(self, guard: Guard) -> None:
        """Have the unit begin again, unless the guard finds the rows when they are locked."""
        raise NotImplementedError

    def defer(self, writes: Sequence[Write]) -> None:
        """Keep writes that do not meet in any row."""
        raise NotImplementedError
