"""Deletes events that are older than the retention setting."""

import sqlalchemy as sa

from app.storage.event_log.tables import event_log, lane
from app.storage.event_log.writing import prune
from app.storage.work import Work

_LARGEST_PART = 1_000

_OLD_LANES = (
    sa.select(lane.c.id)
    .join(event_log, sa.and_(event_log.c.lane == lane.c.id, event_log.c.position == lane.c.oldest))
    .where(event_log.c.at < sa.bindparam("before", type_=event_log.c.at.type))
    .order_by(lane.c.id)
    .limit(2)
)


def forget_events(work: Work) -> bool:
    """Delete some of the entries that are older than the setting `event_retention`. Returns whether more are left."""
    before = work.now - work.settings.event_retention
    lanes = work.connection.execute(_OLD_LANES, {"before": before}).scalars().all()
    if not lanes:
        return False
    return prune(work.connection, lanes[0], before, _LARGEST_PART) == _LARGEST_PART or len(lanes) > 1
