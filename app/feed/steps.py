"""Plans of one statement that read the log."""

from collections import Counter
from collections.abc import Generator, Iterable, Sequence

from app.core.errors import CursorExpired
from app.core.events import LoggedEvent
from app.storage.event_log import EXPIRED, HEADS, Cursor, Newest, heads_with_era, read_after
from app.storage.query import Query, Row, Steps

LogSteps = Steps[Sequence[Row]]


def heads() -> Generator[Query, Sequence[Row], Sequence[Row]]:
    """The rows of HEADS."""
    return (yield HEADS)


def era_heads(dialect_name: str) -> LogSteps:
    """The rows of HEADS, with the newest era on PostgreSQL."""
    return lambda: _one(heads_with_era(dialect_name))


def after(dialect_name: str, cursor: Cursor, most: int, newest: Newest | None = None) -> LogSteps:
    """About `most` entries after the cursor."""
    return lambda: _one(read_after(dialect_name, cursor, share(cursor, most), newest))


def share(cursor: Cursor, most: int) -> int:
    """The number of events to read of each lane: only few lanes are busy at the same moment."""
    return max(most // min(len(cursor.positions), 8), 1)


def require_next(cursor: Cursor, found: LoggedEvent) -> None:
    """Raises CursorExpired unless the event is the next one of its lane."""
    # Positions in a lane have no gaps, so a skipped one is a deleted event.
    if found.position != cursor.positions[found.lane] + 1:
        raise CursorExpired(EXPIRED)


def require_all(cursor: Cursor, found: Iterable[LoggedEvent]) -> None:
    """Raises CursorExpired unless these are the next events of their lanes."""
    positions = list(cursor.positions)
    for each in found:
        positions[each.lane] += 1
        if each.position != positions[each.lane]:
            raise CursorExpired(EXPIRED)


def is_full(found: Iterable[LoggedEvent], cursor: Cursor, most: int) -> bool:
    """Whether `after` gave as many events of some lane as it gives at once."""
    return max(Counter(each.lane for each in found).values()) >= share(cursor, most)


def _one(query: Query) -> Generator[Query, Sequence[Row], Sequence[Row]]:
    return (yield query)
