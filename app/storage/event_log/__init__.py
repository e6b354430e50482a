"""The append-only event log: lanes, positions, cursors."""

from app.storage.event_log.cursor import Cursor, parse_cursor
from app.storage.event_log.reading import HEADS, NEWEST, check_cursor, heads_cursor, logged, merge, read_after
from app.storage.event_log.renumbering import RAISED_BY, renumber
from app.storage.event_log.retention import forget_events
from app.storage.event_log.tables import event_log, lane
from app.storage.event_log.writing import append, lane_count, lane_of, prune

__all__ = [
    "HEADS",
    "NEWEST",
    "RAISED_BY",
    "Cursor",
    "append",
    "check_cursor",
    "event_log",
    "forget_events",
    "heads_cursor",
    "lane",
    "lane_count",
    "lane_of",
    "logged",
    "merge",
    "parse_cursor",
    "prune",
    "read_after",
    "renumber",
]
