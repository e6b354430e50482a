"""Three tables that the storage tests may write to, beside the real ones, and who holds their rows."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from queue import SimpleQueue
from threading import Thread

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from app.storage.database import Database, Work
from app.storage.engines import parse_database_url
from app.storage.tables import BigId, JsonText, JsonValue, Timestamp
from tests.keeping import keeper

scratch = sa.MetaData()
counter = sa.Table("counter", scratch, sa.Column("id", BigId, primary_key=True), sa.Column("value", BigId))
sample = sa.Table(
    "sample",
    scratch,
    sa.Column("id", BigId, sa.Identity(), primary_key=True),
    sa.Column("at", Timestamp),
    sa.Column("text", JsonText),
    sa.Column("value", JsonValue),
    sa.Column("name", sa.Text, unique=True),
    sa.Column("flag", sa.Boolean),
    sqlite_autoincrement=True,
)
pointer = sa.Table(
    "pointer",
    scratch,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("counter_id", BigId, sa.ForeignKey("counter.id")),
)


@pytest.fixture(autouse=True)
def new_connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Here it is tried what happens to connections, so none has a session that another test began, and readers begin
    and read in turn as a server's do."""
    monkeypatch.setattr("app.storage.sqlite_plans.SimpleQueue", SimpleQueue)
    monkeypatch.setattr("app.storage.sqlite_plans.Thread", Thread)
    keeper.is_off = True
    yield
    keeper.is_off = False


@pytest.fixture
async def scratch_database(database: Database) -> Database:
    await database.command(_make)
    return database


def _make(work: Work) -> None:
    scratch.create_all(work.connection)
    work.connection.execute(sa.insert(counter), [{"id": 1, "value": 0}, {"id": 2, "value": 0}])
    work.connection.execute(sa.insert(pointer), [{"id": 1}])


def increment(work: Work, key: int = 1) -> int:
    """Read, then write: loses updates wherever units overlap."""
    read = sa.select(counter.c.value).where(counter.c.id == key).with_for_update()
    value: int = work.connection.execute(read).scalar_one() + 1
    work.connection.execute(sa.update(counter).where(counter.c.id == key).values(value=value))
    return value


def value_of(work: Work, key: int = 1) -> int | None:
    value: int | None = work.connection.execute(sa.select(counter.c.value).where(counter.c.id == key)).scalar_one()
    return value


@asynccontextmanager
async def locked(database_url: str, *keys: int) -> AsyncIterator[AsyncConnection]:
    """Another process holds these counters."""
    engine = create_async_engine(parse_database_url(database_url), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(sa.select(counter).where(counter.c.id.in_(keys)).with_for_update())
        yield connection
    await engine.dispose()


async def waiting(connection: AsyncConnection) -> int:
    """How many connections to this database wait for a lock."""
    await connection.execute(sa.text("SELECT pg_stat_clear_snapshot()"))
    found = await connection.execute(
        sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    )
    return int(found.scalar_one())


async def blocked(connection: AsyncConnection, at_least: int) -> int:
    """How many connections wait, once that many do."""
    for _ in range(200):
        if await waiting(connection) >= at_least:
            break
        await asyncio.sleep(0.01)
    return await waiting(connection)
