"""How commands open the database."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.commands.opening import opened
from app.core.clock import utc_now
from app.core.errors import Unavailable
from app.core.ids import TimeOrderedIds
from app.settings import Settings
from app.storage.database import Database, Work, open_database

pytestmark = pytest.mark.anyio


def _sleep(work: Work) -> None:
    work.connection.execute(sa.text("SELECT pg_sleep(1.5)"))


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_unit_of_a_command_may_take_longer_than_one_of_a_caller(database: Database, database_url: str) -> None:
    settings = Settings(
        database_url=database_url, command_timeout=timedelta(seconds=1), database_silence=timedelta(seconds=1)
    )
    async with opened(settings) as patient:
        await patient.command(_sleep)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_unit_of_a_caller_ends_at_its_time(database: Database, database_url: str) -> None:
    settings = Settings(database_url=database_url, command_timeout=timedelta(seconds=1))
    found = await open_database(database_url, clock=utc_now, ids=TimeOrderedIds(), settings=settings, kinds={})
    try:
        with pytest.raises(Unavailable):
            await found.command(_sleep)
    finally:
        await found.close()
