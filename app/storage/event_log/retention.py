"""Forgets events that are older than the retention setting."""

from datetime import datetime

import sqlalchemy as sa

from app.storage.event_log.partitions import drop_forgotten
from app.storage.event_log.tables import event_log, lane
from app.storage.work import Work

_LARGEST_PART = {"sqlite": 1_000, "postgresql": 10_000}
"""Entries that one unit deletes, or on PostgreSQL passes over."""

_OLD_LANES = (
    sa.select(lane.c.id)
    .join(event_log, sa.and_(event_log.c.lane == lane.c.id, event_log.c.position == lane.c.oldest))
    .where(event_log.c.at < sa.bindparam("before", type_=event_log.c.at.type))
    .order_by(lane.c.id)
    .limit(2)
)


def forget_events(work: Work) -> bool:
    """Forget some of the entries that are older than the setting `event_retention`. Returns whether more are left."""
    before = work.now - work.settings.event_retention
    lanes = work.connection.execute(_OLD_LANES, {"before": before}).scalars().all()
    most = _LARGEST_PART[work.dialect_name]
    if lanes and (prune(work.connection, lanes[0], before, most) == most or len(lanes) > 1):
        return True
    return work.dialect_name == "postgresql" and drop_forgotten(work.connection)


def prune(connection: sa.Connection, number: int, before: datetime, limit: int) -> int:
    """Forget at most `limit` of a lane's oldest entries, stopping at the first one written at `before` or later.

    Returns how many: no cursor leads to them any more. SQLite deletes them, PostgreSQL drops their partition later. The
    caller repeats it, one unit each time, so that no lane is locked for long."""
    oldest = connection.execute(sa.select(lane.c.oldest).where(lane.c.id == number)).scalar_one()
    position = event_log.c.position
    in_reach = (event_log.c.lane == number, position >= oldest, position < oldest + limit)
    kept = connection.execute(sa.select(sa.func.min(position)).where(*in_reach, event_log.c.at >= before)).scalar()
    if kept is None:
        last = connection.execute(sa.select(sa.func.max(position)).where(*in_reach)).scalar()
        kept = oldest if last is None else last + 1
    if kept > oldest:
        if connection.dialect.name == "sqlite":
            connection.execute(sa.delete(event_log).where(event_log.c.lane == number, position < kept))
        # The lane is locked only now; another process may have come further.
        connection.execute(sa.update(lane).where(lane.c.id == number, lane.c.oldest < kept).values(oldest=kept))
    return int(kept - oldest)
