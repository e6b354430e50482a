"""The event log, read as a whole."""

from app.core.events import LoggedEvent
from app.storage.database import Work
from app.storage.event_log import Cursor, lane_count, logged, read_after


def told_in(work: Work) -> list[LoggedEvent]:
    """Every event so far, lane by lane. PostgreSQL gives the lanes in any order."""
    query = read_after(work.dialect_name, Cursor.start(lane_count(work.connection)), 100_000)
    rows = work.connection.exec_driver_sql(query.sql, tuple(query.args))
    return sorted(map(logged, rows), key=lambda each: (each.lane, each.position))
