"""The migration that has the log searched by user, beside a version that goes on without knowing of it."""

import asyncio

import asyncpg
import pytest
import sqlalchemy as sa

from app.storage.engines import ConfigurationError, asyncpg_arguments, parse_database_url
from app.storage.migrations import migrate, steps
from tests.serving import PATIENCE
from tests.storage.event_log.test_partitions import BEFORE_ERAS
from tests.storage.test_migrations import on
from tests.storage.test_partitions_migration import somebody_waits

pytestmark = pytest.mark.anyio

on_postgres = pytest.mark.parametrize("empty_database_url", ["postgres"], indirect=True)
VALID = (
    "SELECT relname::text, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
    "WHERE relname LIKE '%event_log%user' ORDER BY relname"
)


def _begin_era(connection: sa.Connection) -> None:
    for statement in (
        "CREATE TABLE event_log_1 (LIKE event_log, CONSTRAINT pk_event_log_1 PRIMARY KEY (lane, position))",
        "ALTER TABLE event_log ATTACH PARTITION event_log_1 FOR VALUES IN (1)",
        "INSERT INTO log_era (lane, era, first, began_at) SELECT id, 1, head + 1, now() FROM lane",
        "UPDATE lane SET era = 1, first = head + 1",
    ):
        connection.exec_driver_sql(statement)


@on_postgres
async def test_index_of_users_is_built_beside_writers_and_after_a_failure(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that began before has the migration wait, so that others have all the time to write."""
    await migrate(empty_database_url, "0043")
    await on(empty_database_url, _begin_era)
    arguments = asyncpg_arguments(parse_database_url(empty_database_url))
    older, writer = await asyncpg.connect(**arguments), await asyncpg.connect(**arguments)
    await older.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM lane")
    try:
        with monkeypatch.context() as hasty:
            hasty.setattr(steps, "_LONGEST_MS", 50)
            with pytest.raises(ConfigurationError, match="Something holds event_log_0 for longer than two minutes"):
                await migrate(empty_database_url, "0044")
        found = {row[0]: row[1] for row in await writer.fetch(VALID)}
        assert found == {"event_log_0_user": False, "ix_event_log_user": False}
        migrating = [asyncio.create_task(migrate(empty_database_url, "0044")) for _ in range(2)]
        await asyncio.wait_for(somebody_waits(empty_database_url), PATIENCE)
        for _ in range(20):
            await asyncio.wait_for(writer.fetch(BEFORE_ERAS, 0, 1), PATIENCE)
        assert not any(each.done() for each in migrating)
        await older.execute("COMMIT")
        await asyncio.wait_for(asyncio.gather(*migrating), PATIENCE)
        found = {row[0]: row[1] for row in await writer.fetch(VALID)}
        assert found == dict.fromkeys(("event_log_0_user", "event_log_1_user", "ix_event_log_user"), True)
        assert await writer.fetchval("SELECT count(*) FROM event_log") == 20
        # A partition that is made later has its index at once, so the whole index stays valid.
        await writer.execute("CREATE TABLE event_log_2 PARTITION OF event_log FOR VALUES IN (2)")
        assert await writer.fetchval("SELECT count(*) FROM pg_indexes WHERE tablename = 'event_log_2'") == 3
    finally:
        await older.close()
        await writer.close()
