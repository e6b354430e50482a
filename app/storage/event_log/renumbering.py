"""Gives events new positions after a restore."""

import sqlalchemy as sa

from app.storage.event_log.tables import event_log, lane
from app.storage.work import Work

RAISED_BY = 2**32
"""More events than a lane can get between a backup and its restore."""


def renumber(work: Work) -> None:
    """Raise all positions, so that cursors from before the restore expire, and no lost event's position is used again.

    Positions that are stored elsewhere have to be raised in the same unit."""
    work.connection.execute(sa.update(event_log).values(position=event_log.c.position + RAISED_BY))
    work.connection.execute(sa.update(lane).values(head=lane.c.head + RAISED_BY, oldest=lane.c.oldest + RAISED_BY))
