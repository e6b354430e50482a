"""The append-only event log: lanes, positions, cursors."""

from app.storage.event_log.cursor import EXPIRED, Cursor, parse_cursor
from app.storage.event_log.eras import HEADS, Newest, heads_with_era, newest_era
from app.storage.event_log.partitions import AHEAD, ERAS, Standing, forgotten, keep_partitions, standing
from app.storage.event_log.reading import (
    NEWEST,
    check_cursor,
    heads_cursor,
    in_order,
    logged,
    merged,
    read_after,
    times_at,
)
from app.storage.event_log.renumbering import RAISED_BY, renumber
from app.storage.event_log.retention import forget_events, prune
from app.storage.event_log.tables import event_log, lane
from app.storage.event_log.writing import Appended, Committed, append, lane_count, lane_of

__all__ = [
    "AHEAD",
    "ERAS",
    "EXPIRED",
    "HEADS",
    "NEWEST",
    "RAISED_BY",
    "Appended",
    "Committed",
    "Cursor",
    "Newest",
    "Standing",
    "append",
    "check_cursor",
    "event_log",
    "forget_events",
    "forgotten",
    "heads_cursor",
    "heads_with_era",
    "in_order",
    "keep_partitions",
    "lane",
    "lane_count",
    "lane_of",
    "logged",
    "merged",
    "newest_era",
    "parse_cursor",
    "prune",
    "read_after",
    "renumber",
    "standing",
    "times_at",
]
