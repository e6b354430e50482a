"""Reads the event log from a cursor, in a unit or plan."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

import orjson

from app.core.errors import CursorExpired, InvalidCursor
from app.core.events import EventRecord, LoggedEvent
from app.storage.event_log.cursor import EXPIRED, Cursor
from app.storage.event_log.eras import Newest, era_of
from app.storage.event_log.tables import event_log
from app.storage.query import Query, Row

R = TypeVar("R", bound=Sequence[Any])

NEWEST = Query(
    "SELECT max(event_log.at) FROM lane JOIN event_log ON event_log.lane = lane.id AND event_log.position = lane.head"
)
"""One row of the driver: when the newest event was written, null for an empty log."""

COLUMNS = ", ".join(column.name for column in event_log.columns)

_AFTER_SQLITE = f"SELECT {COLUMNS} FROM event_log WHERE lane = 0 AND position > ? ORDER BY position LIMIT ?"
_SEEN = "unnest($1::bigint[], $2::bigint[]) AS seen(lane, position)"
_NEXT = (
    f"SELECT {COLUMNS} FROM event_log WHERE event_log.lane = seen.lane AND event_log.position > seen.position "
    "AND {} ORDER BY event_log.position LIMIT $3"
)
_ERA = (
    f"SELECT min(found.era) FROM {_SEEN} JOIN lane ON lane.id = seen.lane "
    f"CROSS JOIN LATERAL ({era_of('seen.lane', 'greatest(seen.position + 1, lane.oldest)')}) AS found"
)
_AFTER_POSTGRESQL = (
    f"SELECT entry.* FROM {_SEEN} JOIN lane ON lane.id = seen.lane "
    f"CROSS JOIN LATERAL ({_NEXT.format(f'event_log.era = ({_ERA}) AND event_log.position >= lane.oldest')}) AS entry"
)
_TIME_SQLITE = "SELECT lane, position, at FROM event_log WHERE lane = 0 AND position = ?"
_TIMES_POSTGRESQL = (
    f"SELECT seen.lane, seen.position, entry.at FROM {_SEEN} "
    f"CROSS JOIN LATERAL ({era_of('seen.lane', 'seen.position')}) AS found "
    "CROSS JOIN LATERAL (SELECT at FROM event_log WHERE event_log.lane = seen.lane "
    "AND event_log.position = seen.position AND event_log.era = found.era LIMIT 1) AS entry"
)


def read_after(dialect_name: str, cursor: Cursor, limit: int, newest: Newest | None = None) -> Query:
    """Read at most `limit` entries of each lane after the cursor, in each lane's order. `logged` reads the rows.

    On PostgreSQL they are of one era, the first in which any lane has more: when there are none, the log has ended.
    Where retention has passed the cursor, a lane's first entry is the oldest that is held. Given the `newest` era, a
    cursor that has seen all before it is not looked up; it must have been checked."""
    if dialect_name == "sqlite":
        return Query(_AFTER_SQLITE, (cursor.positions[0], limit))
    places = (list(range(len(cursor.positions))), list(cursor.positions), limit)
    if newest is not None and newest.begin <= cursor:
        return Query(_after_in(newest.era), places)
    return Query(_AFTER_POSTGRESQL, places)


@lru_cache(8)
def _after_in(era: int) -> str:
    # The era is in the text, so that the plan knows no other partition. A parameter would have all of them opened.
    return f"SELECT entry.* FROM {_SEEN} CROSS JOIN LATERAL ({_NEXT.format(f'event_log.era >= {int(era)}')}) AS entry"


def times_at(dialect_name: str, places: Sequence[tuple[int, int]]) -> Query:
    """Rows (lane, position, time) of the entries at these places."""
    lanes, positions = zip(*places, strict=True)
    if dialect_name == "sqlite":
        return Query(_TIME_SQLITE, positions)
    return Query(_TIMES_POSTGRESQL, (list(lanes), list(positions)))


def heads_cursor(heads: Sequence[Row]) -> Cursor:
    """The cursor at the end of the log, from the rows of HEADS."""
    return Cursor(tuple(row[1] for row in heads))


def check_cursor(cursor: Cursor, heads: Sequence[Row]) -> None:
    """Check, with the rows of HEADS, that the log still has every event after the cursor.

    Raises CursorExpired when the log no longer has events that the cursor has not seen, and InvalidCursor when the
    cursor belongs to another log."""
    if len(cursor.positions) != len(heads) or any(cursor.positions[lane] > head for lane, head, *_ in heads):
        raise InvalidCursor(
            "This cursor belongs to another event log. Read the state again, then subscribe from its cursor.",
            path=("after",),
        )
    if any(cursor.positions[lane] < oldest - 1 for lane, _, oldest, *_ in heads):
        raise CursorExpired(EXPIRED)


def logged(row: Row) -> LoggedEvent:
    """A row of `read_after` as an event. The row may come from either driver, or from SQLAlchemy's driver SQL."""
    lane, position, at, *fields, data = row
    at = at if isinstance(at, datetime) else datetime.fromisoformat(at).astimezone(UTC)
    # The columns have the order of the record's fields.
    return LoggedEvent(lane, position, at, EventRecord._make((*fields, orjson.loads(data))))


def merged(rows: Iterable[Row]) -> Iterator[LoggedEvent]:
    """The events of all lanes in the order of `in_order`, each made when it is asked for."""
    return map(logged, in_order(rows))


def in_order(rows: Iterable[R]) -> Iterator[R]:
    """Rows of `read_after`, or events, of all lanes in one order, by time. The order within a lane is kept, even where
    its times go backwards."""
    lanes: dict[int, list[R]] = {}
    for row in rows:
        lanes.setdefault(row[0], []).append(row)
    if len(lanes) == 1:
        return chain(*lanes.values())
    return (row for _, row in heapq.merge(*map(_timed, lanes.values()), key=lambda timed: timed[0]))


def _timed(rows: list[R]) -> Iterator[tuple[tuple[Any, int, int], R]]:
    latest = rows[0][2]
    for row in rows:
        latest = max(latest, row[2])
        yield (latest, row[0], row[1]), row
