"""Upgrades of stored rows are done in bounded transactions, and go on after a kill."""

import asyncio
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.storage.migrations import migrate, steps
from tests.command_line import FORKED
from tests.postgres import empty_database
from tests.storage.killing import migrate_until_killed
from tests.storage.test_migrations import on
from tests.storage.test_waiting_migration import STORED, fill

pytestmark = pytest.mark.anyio

_PATIENCE = 60.0
_KILLS = 2
_COMMITS = 11
"""How many transactions a process commits before it is killed in the next one."""

_SEARCH = {
    "sqlite": "SELECT rowid FROM message_search WHERE message_search MATCH '\"退款\"' ORDER BY rowid",
    "postgresql": "SELECT id FROM message WHERE ' ' || words || ' ' LIKE '% 退款 %' ORDER BY id",
}


def _store(connection: sa.Connection) -> None:
    fill(connection)
    then = "'2026-01-05T09:00:00.000000Z'" if connection.dialect.name == "sqlite" else "'2026-01-05 09:00+00'"
    connection.exec_driver_sql(
        "INSERT INTO customer (id, customer_key, system, phone_number, name, unsubscribed, tags, version, created_at, "
        f"updated_at) VALUES (1, 'a', 'SESSION', '+4722123456', 'Bø', false, '[]', 1, {then}, {then})"
    )


def _rows(connection: sa.Connection) -> Mapping[str, Sequence[Any]]:
    """All rows of all tables, and what a search finds."""
    metadata = sa.MetaData()
    metadata.reflect(connection, resolve_fks=False)
    found = {
        table.name: sorted(str(tuple(row)) for row in connection.execute(sa.select(table)))
        for table in metadata.sorted_tables
        if table.name.startswith(("message", "interaction", "customer", "alembic", "migration"))
        and not table.name.startswith("message_search")
    }
    found["search"] = [row[0] for row in connection.exec_driver_sql(_SEARCH[connection.dialect.name])]
    return found


@pytest.fixture
def other_url(empty_database_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """The address of another empty database of the same kind."""
    if empty_database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'other.db'}"
    else:
        with empty_database(request.getfixturevalue("postgres_server")) as url:
            yield url


@pytest.fixture
def committed(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows with each transaction of a migration in this process, which changes one row in each."""
    found: list[None] = []
    commit = steps.commit

    def counted(connection: sa.Connection) -> None:
        commit(connection)
        found.append(None)

    monkeypatch.setattr(steps, "commit", counted)
    monkeypatch.setattr(steps, "AT_ONCE", 1)
    return found


async def test_migration_that_is_killed_goes_on_where_it_ended(
    empty_database_url: str, other_url: str, committed: list[None]
) -> None:
    for url in (empty_database_url, other_url):
        await migrate(url, "0012")
        await on(url, _store)
    committed.clear()
    await migrate(other_url)
    unbroken = len(committed)
    for _ in range(_KILLS):
        process = FORKED.Process(target=migrate_until_killed, args=(empty_database_url, _COMMITS))
        process.start()
        await asyncio.to_thread(process.join, _PATIENCE)
        assert process.exitcode == -signal.SIGKILL
    committed.clear()
    await migrate(empty_database_url)
    assert len(committed) == unbroken - _KILLS * _COMMITS
    expected = await on(other_url, _rows)
    assert len(expected["search"]) == sum(len(messages) for _, _, _, messages in STORED.values())
    assert await on(empty_database_url, _rows) == expected
