"""The migration that partitions the event log, beside a version that goes on without knowing of it."""

import asyncio
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from app.storage.engines import asyncpg_arguments, parse_database_url
from app.storage.migrations import downgrade, migrate
from tests.serving import PATIENCE
from tests.storage.conftest import blocked
from tests.storage.event_log.test_partitions import BEFORE_ERAS
from tests.storage.test_migrations import on

pytestmark = pytest.mark.anyio

on_postgres = pytest.mark.parametrize("empty_database_url", ["postgres"], indirect=True)
LOG = "SELECT lane, position, topic, CAST(data AS text) FROM event_log ORDER BY lane, position"
HISTORY = "SELECT id, position, topic FROM interaction_history ORDER BY id"


def _fill(connection: sa.Connection) -> None:
    then = "2026-01-05T09:00:00.000000Z"
    connection.exec_driver_sql("UPDATE lane SET head = 40, oldest = 11 WHERE id = 0")
    for position in range(11, 41):
        connection.exec_driver_sql(
            "INSERT INTO event_log (lane, position, at, topic, kind, interaction_id, data) "
            f"VALUES (0, {position}, '{then}', 'thing.changed', 'session', 64, '{{}}')"
        )


def _told(connection: sa.Connection) -> dict[str, list[Any]]:
    return {sql: [tuple(row) for row in connection.exec_driver_sql(sql)] for sql in (LOG, HISTORY)}


async def test_log_is_the_same_in_partitions_and_back(empty_database_url: str) -> None:
    await migrate(empty_database_url, "0042")
    await on(empty_database_url, _fill)
    before = await on(empty_database_url, _told)
    assert [len(found) for found in before.values()] == [30, 30]
    await migrate(empty_database_url, "0043")
    assert await on(empty_database_url, _told) == before
    await on(empty_database_url, lambda connection: downgrade(connection, "0042"))
    assert await on(empty_database_url, _told) == before


@on_postgres
async def test_log_is_not_written_anew_and_older_versions_go_on_meanwhile(empty_database_url: str) -> None:
    """One of them reads in a long transaction, so that the migration has to wait for it; another one writes."""
    await migrate(empty_database_url, "0042")
    await on(empty_database_url, _fill)
    arguments = asyncpg_arguments(parse_database_url(empty_database_url))
    reader, writer = await asyncpg.connect(**arguments), await asyncpg.connect(**arguments)
    file = await reader.fetchval("SELECT pg_relation_filenode('event_log')")
    append = await writer.prepare(BEFORE_ERAS)
    written, migrated, later = 0, False, 0
    await reader.execute("BEGIN; SELECT count(*) FROM event_log")

    async def write() -> None:
        nonlocal written, later
        while later < 20:
            await append.fetch(0, 1)
            written += 1
            later += migrated

    writing = asyncio.create_task(write())
    migrating = asyncio.create_task(migrate(empty_database_url, "0043"))
    try:
        await asyncio.wait_for(somebody_waits(empty_database_url), PATIENCE)
        await reader.execute("COMMIT")
        await asyncio.wait_for(migrating, PATIENCE)
        migrated = True
        await asyncio.wait_for(writing, PATIENCE)
        rows = await reader.fetch(LOG)
        assert [row[1] for row in rows] == [*range(11, 41 + written)]
        assert await reader.fetchval("SELECT pg_relation_filenode('event_log_0')") == file
        eras = await reader.fetch("SELECT era, first, began_at::text FROM log_era WHERE lane = 0")
        assert [(era, first, began_at[:10]) for era, first, began_at in eras] == [(0, 1, "2026-01-05")]
    finally:
        writing.cancel()
        await reader.close()
        await writer.close()


async def somebody_waits(database_url: str) -> None:
    """Return once the migration waits for the reader."""
    engine = create_async_engine(parse_database_url(database_url))
    try:
        async with engine.connect() as connection:
            while not await blocked(connection, 1):
                pass
    finally:
        await engine.dispose()
