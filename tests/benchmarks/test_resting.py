"""Databases over which servers are compared stay as they are, however long that takes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.clock import utc_now
from app.core.ids import TimeOrderedIds
from app.interactions.tables import interaction
from app.scheduler.recomputing import recompute_all
from app.scheduler.scheduler import Scheduler
from app.settings import Settings
from app.storage.database import Database, open_database
from app.storage.migrations import migrate
from benchmarks.bulk.loading import load_bulk
from benchmarks.peers.command import sides_on_postgresql, sides_on_sqlite

COUNT = 200
COLUMNS = [interaction.c[name] for name in ("id", "state", "version", "due_at", "updated_at")]


class Databases:
    """The databases of an address, opened as if it were another day."""

    def __init__(self, settings: Settings, kinds: Mapping[str, Any]) -> None:
        self._settings = settings
        self._kinds = kinds

    @asynccontextmanager
    async def opened(self, url: str, clock: Callable[[], datetime] = utc_now) -> AsyncIterator[Database]:
        found = await open_database(url, clock=clock, ids=TimeOrderedIds(), settings=self._settings, kinds=self._kinds)
        try:
            yield found
        finally:
            await found.close()

    async def fill(self, url: str) -> None:
        """What was loaded two days ago."""
        await migrate(url)
        async with self.opened(url, lambda: utc_now() - timedelta(days=2)) as database:
            await load_bulk(database, COUNT)

    async def fire(self, url: str) -> None:
        """What a scheduler does in a month."""
        in_a_month = lambda: utc_now() + timedelta(days=30)  # noqa: E731 - one line says it
        async with self.opened(url, in_a_month) as database:
            await Scheduler(database, in_a_month, ()).fire()

    async def rows(self, url: str) -> Sequence[Any]:
        async with self.opened(url) as database:
            return await database.command(
                lambda work: work.connection.execute(sa.select(*COLUMNS).order_by(interaction.c.id)).all()
            )

    async def late(self, url: str) -> int:
        """How many interactions are not as they should be by now."""
        async with self.opened(url) as database:
            return (await recompute_all(database, lambda done, total: None)).changed


@pytest.fixture
def databases(settings: Settings, kinds: Mapping[str, Any]) -> Databases:
    return Databases(settings, kinds)


def test_sides_are_alike_however_late_they_are_compared(empty_database_url: str, databases: Databases) -> None:
    asyncio.run(databases.fill(empty_database_url))
    loaded = asyncio.run(databases.rows(empty_database_url))
    assert any(row.due_at is not None and row.due_at > utc_now() for row in loaded)

    with sides(empty_database_url) as (ours, theirs):
        asyncio.run(databases.fire(ours))
        assert asyncio.run(databases.rows(ours)) == asyncio.run(databases.rows(theirs))
        assert asyncio.run(databases.rows(theirs)) != loaded
        assert asyncio.run(databases.late(theirs)) == 0

    assert asyncio.run(databases.rows(empty_database_url)) == loaded
    assert asyncio.run(databases.late(empty_database_url)) > 0


def sides(url: str) -> AbstractContextManager[tuple[str, str]]:
    if url.startswith("sqlite"):
        return sides_on_sqlite(Path(url.removeprefix("sqlite:///")))
    return sides_on_postgresql(url)
