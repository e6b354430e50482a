"""Chores of databases under test, which are done for good until a test has them due."""

from datetime import UTC, datetime

import sqlalchemy as sa

from app.core.clock import utc_now
from app.core.ids import TimeOrderedIds
from app.scheduler import CHORES
from app.settings import Settings
from app.storage.chores import chore
from app.storage.database import Work, open_database

_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


async def put_chores_off(database_url: str) -> None:
    """Let every application over copies of this database find all chores done.

    A new server does them all at its start. Here every third test starts one, and few are about chores."""
    database = await open_database(database_url, clock=utc_now, ids=TimeOrderedIds(), settings=Settings())
    try:
        await database.command(_put_off)
    finally:
        await database.close()


def have_chores_due(work: Work) -> None:
    """Leave the chores to the next scheduler, as in a database in which none was ever done."""
    work.connection.execute(sa.delete(chore))


def _put_off(work: Work) -> None:
    work.connection.execute(sa.insert(chore), [{"name": each.name, "due_at": _NEVER} for each in CHORES])
