"""Begins new eras of the log before their time."""

import sqlalchemy as sa

from app.storage.database import Database
from app.storage.event_log import keep_partitions, standing
from app.storage.work import Work

_TRIES = 20
"""A call makes the partition, another begins the era; either gives up when others hold what it has to lock."""


def turn(work: Work) -> int:
    """Do as if the newest era were over: make the partition of the next one, or if there is one, begin the era.

    Returns the newest era. It is still the same if others hold the lanes, and always 0 on SQLite."""
    if work.dialect_name == "sqlite":
        return 0
    then = work.now - work.settings.event_retention
    work.connection.execute(sa.text("UPDATE log_era SET began_at = :then"), {"then": then})
    keep_partitions(work)
    return standing(work.connection).era


async def begin_era(database: Database) -> None:
    """On PostgreSQL, have what is written from now on go into another partition."""
    if database.dialect.name == "sqlite":
        return
    before = (await database.command(lambda work: standing(work.connection))).era
    for _ in range(_TRIES):
        if await database.command(turn) > before:
            return
    raise AssertionError("no new era of the log could begin")
