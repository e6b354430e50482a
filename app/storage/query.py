"""One statement as its driver takes it."""

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeVar

from app.core.errors import Unavailable

Row = Sequence[Any]
"""A tuple on SQLite, an asyncpg Record on PostgreSQL; read by position."""

T = TypeVar("T")

Steps = Callable[[], Generator["Query", Sequence[Row], T]]
"""Starts a plan: the generator yields statements, is sent their rows, and returns the result."""

Observer = Callable[[str], None]
"""Is told each SQL text as it is executed."""


class Query(NamedTuple):
    """SQL in the driver's own style (`?` on SQLite, `$1` on PostgreSQL) with arguments ready for the driver."""

    sql: str
    args: Sequence[object] = ()


LONGEST_READ = 30.0
"""Seconds that a plan may read on SQLite, or one of its statements on PostgreSQL: readers are few, and shared."""


def too_long() -> Unavailable:
    """The answer to a plan that was stopped."""
    return Unavailable(f"This took longer than {LONGEST_READ:g} seconds; ask for less at once.")
