"""Migrations against the tables as the code declares them."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, Protocol, TypeVar

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

import app
from app.storage.engines import ConfigurationError, connect_sqlite, parse_database_url, sqlite_engine
from app.storage.migrations import downgrade, migrate, revisions
from app.storage.tables import metadata
from tests.command_line import FORKED
from tests.storage.killing import migrate_in_process

pytestmark = pytest.mark.anyio

T = TypeVar("T")

_PATIENCE = 60.0

_OF_DATA = {"sqlite": frozenset({"0015", "0016", "0043", "0046"}), "postgresql": frozenset({"0015", "0016", "0046"})}
"""Revisions that change rows alone, or nothing in this database."""


class On(Protocol):
    """Runs a function in a transaction with foreign keys off, as migrations need it."""

    async def __call__(self, f: Callable[[sa.Connection], T]) -> T: ...


@asynccontextmanager
async def opened(database_url: str) -> AsyncIterator[On]:
    """What runs functions in the database, in one session of PostgreSQL: to begin one takes longer than most steps."""
    url = parse_database_url(database_url)
    if url.get_backend_name() == "sqlite":

        async def run(f: Callable[[sa.Connection], T]) -> T:
            engine = sqlite_engine(connect_sqlite(str(url.database), foreign_keys=False))
            try:
                with engine.begin() as connection:
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                    return f(connection)
            finally:
                engine.dispose()

        yield run
        return
    remote = create_async_engine(url)

    async def run_remote(f: Callable[[sa.Connection], T]) -> T:
        async with remote.begin() as bridge:
            return await bridge.run_sync(f)

    try:
        yield run_remote
    finally:
        await remote.dispose()


async def on(database_url: str, f: Callable[[sa.Connection], T]) -> T:
    """Run one function so."""
    async with opened(database_url) as run:
        return await run(f)


def _declare_all_tables() -> None:
    for module in walk_packages(app.__path__, "app."):
        if module.name.rpartition(".")[2] in ("tables", "idempotency", "chores", "leases"):
            import_module(module.name)


def _shared(name: str | None, _type: str, _parents: object) -> bool:
    """Full-text search and partitions are each database's own, beyond what a Table can say."""
    own = ("message_search", "ix_message_words", "event_log_", "log_era")
    return name is None or not (name.startswith(own) or name in ("era", "first"))


_SQLITE_STRUCTURE = """
WITH t AS (SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%')
SELECT t.name, 'column', c.name, upper(c.type) || iif(c."notnull", ' NOT NULL', '') || iif(c.pk, ' KEY ' || c.pk, '')
FROM t JOIN pragma_table_xinfo(t.name) AS c
UNION ALL SELECT t.name, 'reference', f."from", f."table" FROM t JOIN pragma_foreign_key_list(t.name) AS f
UNION ALL SELECT t.name, iif(i."unique", 'unique', 'index'), iif(i.origin = 'c', i.name, ''),
(SELECT group_concat(coalesce(name, '?')) FROM pragma_index_info(i.name))
FROM t JOIN pragma_index_list(t.name) AS i WHERE i.origin <> 'pk'
"""
_POSTGRESQL_STRUCTURE = """
SELECT relname::text, 'column', attname::text,
format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT conrelid::regclass::text, 'constraint', '', pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f')
UNION ALL SELECT tablename::text, 'index', indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public'
"""


def _structure(connection: sa.Connection) -> list[tuple[str, ...]]:
    """What each table is made of, asked of the database itself: SQLAlchemy takes a tenth of a second to find out."""
    sql = _SQLITE_STRUCTURE if connection.dialect.name == "sqlite" else _POSTGRESQL_STRUCTURE
    return sorted(tuple(row) for row in connection.exec_driver_sql(sql) if row[0] != "alembic_version")


async def test_the_migrated_database_is_the_declared_one(database_url: str) -> None:
    _declare_all_tables()

    def differences(connection: sa.Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _shared})
        return list(compare_metadata(context, metadata))

    assert await on(database_url, differences) == []


async def test_every_step_goes_up_and_down_again(empty_database_url: str) -> None:
    structures: list[list[tuple[str, ...]]] = [[]]
    of_data = _OF_DATA[parse_database_url(empty_database_url).get_backend_name()]
    async with opened(empty_database_url) as run:
        for revision in revisions():
            await migrate(empty_database_url, revision)
            structures.append(await run(_structure))
            assert (structures[-1] != structures[-2]) is (revision not in of_data)
        for number in range(len(structures) - 2, -1, -1):
            await run(lambda connection: downgrade(connection, "-1"))
            assert await run(_structure) == structures[number]
        await migrate(empty_database_url)
        assert await run(_structure) == structures[-1]


def test_revisions_are_numbered() -> None:
    assert revisions() == [f"{number:04}" for number in range(1, len(revisions()) + 1)]


async def test_several_may_start_at_once(empty_database_url: str) -> None:
    await asyncio.gather(*(migrate(empty_database_url) for _ in range(5)))
    lanes = await on(empty_database_url, lambda connection: connection.scalar(sa.text("SELECT count(*) FROM lane")))
    assert lanes == (1 if empty_database_url.startswith("sqlite") else 64)


async def test_several_processes_may_start_at_once(empty_database_url: str) -> None:
    processes = [FORKED.Process(target=migrate_in_process, args=(empty_database_url,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        await asyncio.to_thread(process.join, _PATIENCE)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert await on(empty_database_url, _current) == revisions()[-1]


def _current(connection: sa.Connection) -> str | None:
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


async def test_rows_that_would_point_nowhere_stop_a_migration(tmp_path: Any) -> None:
    path = tmp_path / "dangling.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        connection.execute("CREATE TABLE child (parent_id INTEGER REFERENCES parent(id))")
        connection.execute("INSERT INTO child VALUES (7)")
    connection.close()
    with pytest.raises(ConfigurationError, match="1 rows pointing nowhere"):
        await migrate(f"sqlite:///{path}")
    tables = await on(f"sqlite:///{path}", lambda connection: sa.inspect(connection).get_table_names())
    assert tables == ["child", "parent"]


async def test_revision_of_another_program_is_refused(empty_database_url: str) -> None:
    def other(connection: sa.Connection) -> None:
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(sa.text("INSERT INTO alembic_version VALUES ('abc')"))

    await on(empty_database_url, other)
    with pytest.raises(ConfigurationError, match="revision abc, which this version of Switchboard does not know"):
        await migrate(empty_database_url)
