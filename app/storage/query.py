"""One statement as its driver takes it."""

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeVar

Row = Sequence[Any]
"""A tuple on SQLite, an asyncpg Record on PostgreSQL; read by position."""

T = TypeVar("T")

Steps = Callable[[], Generator["Query", Sequence[Row], T]]
"""Starts a plan. The generator yields statements, receives their rows, and returns the result."""

Observer = Callable[[str], None]
"""Called with each SQL text as it is executed."""


class Query(NamedTuple):
    """SQL in the driver's own style (`?` on SQLite, `$1` on PostgreSQL) with arguments ready for the driver."""

    sql: str
    args: Sequence[object] = ()
