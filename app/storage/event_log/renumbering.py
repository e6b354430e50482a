"""Gives events new positions after a restore."""

import sqlalchemy as sa

from app.storage.event_log.tables import event_log, lane
from app.storage.work import Work

RAISED_BY = 2**32
"""More events than a lane can get between a backup and its restore."""


def renumber(work: Work) -> None:
    """Raise all positions. Cursors from before the restore then expire, and the positions of lost events are not used
    again.

    Positions that are stored elsewhere must be raised in the same unit."""
    work.connection.execute(sa.update(event_log).values(position=event_log.c.position + RAISED_BY))
    work.connection.execute(sa.update(lane).values(head=lane.c.head + RAISED_BY, oldest=lane.c.oldest + RAISED_BY))
    if work.dialect_name == "postgresql":
        for table in ("lane", "log_era"):
            work.connection.exec_driver_sql(f"UPDATE {table} SET first = first + $1::bigint", (RAISED_BY,))
