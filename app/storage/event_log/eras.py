"""The spans of time whose entries PostgreSQL keeps together."""

from collections.abc import Sequence
from typing import NamedTuple

from app.storage.event_log.cursor import Cursor
from app.storage.query import Query, Row

HEADS = Query("SELECT id, head, oldest FROM lane ORDER BY id")
"""Rows (lane, position of its newest entry, lowest position still held)."""

_HEADS_WITH_ERA = Query("SELECT id, head, oldest, era, first FROM lane ORDER BY id")


def era_of(lane: str, position: str) -> str:
    """A SELECT of the era of an entry, by which PostgreSQL skips the partitions of all others as it runs."""
    return f"SELECT max(log_era.era) AS era FROM log_era WHERE log_era.lane = {lane} AND log_era.first <= {position}"


class Newest(NamedTuple):
    """The newest era of a log. Every entry after `begin` is in it, or in one that has begun since."""

    era: int
    begin: Cursor


def heads_with_era(dialect_name: str) -> Query:
    """The rows of HEADS. On PostgreSQL each also has the newest era, and the lane's first position in it."""
    return HEADS if dialect_name == "sqlite" else _HEADS_WITH_ERA


def newest_era(heads: Sequence[Row]) -> Newest | None:
    """The newest era, from the rows of `heads_with_era`; None on SQLite."""
    if len(heads[0]) == 3:
        return None
    return Newest(heads[0][3], Cursor(tuple(first - 1 for _, _, _, _, first in heads)))
