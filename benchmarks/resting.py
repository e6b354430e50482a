"""Databases in which time alone changes nothing."""

import sqlalchemy as sa

from app.commands.opening import opened
from app.interactions.service.deadlines import fire_due
from app.interactions.tables import interaction
from app.settings import Settings
from app.storage.work import Work

_BATCH = 500


async def put_to_rest(url: str) -> None:
    """Do what is due now, and forget all deadlines that come later.

    Otherwise the scheduler of a server that is asked would change rows while others are compared with it."""
    async with opened(Settings(database_url=url)) as database:
        while (await database.command(fire_due, _BATCH)).found == _BATCH:
            pass
        await database.command(_forget_deadlines)


def _forget_deadlines(work: Work) -> None:
    armed = sa.update(interaction).where(interaction.c.due_at.is_not(None))
    work.connection.execute(armed.values(due_at=None, due_failures=0))
