"""Migrations against the tables as the code declares them."""

import asyncio
import sqlite3
from collections.abc import Callable
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, TypeVar

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

_OF_DATA = {"sqlite": frozenset({"0015", "0016", "0043"}), "postgresql": frozenset({"0015", "0016"})}
"""Revisions that change rows alone, or nothing in this database."""


async def on(database_url: str, f: Callable[[sa.Connection], T]) -> T:
    """Run `f` in a transaction with foreign keys off, as migrations need it."""
    url = parse_database_url(database_url)
    if url.get_backend_name() == "sqlite":
        engine = sqlite_engine(connect_sqlite(str(url.database), foreign_keys=False))
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                return f(connection)
        finally:
            engine.dispose()
    remote = create_async_engine(url)
    try:
        async with remote.begin() as bridge:
            return await bridge.run_sync(f)
    finally:
        await remote.dispose()


def _declare_all_tables() -> None:
    for module in walk_packages(app.__path__, "app."):
        if module.name.rpartition(".")[2] in ("tables", "idempotency", "chores", "leases"):
            import_module(module.name)


def _shared(name: str | None, _type: str, _parents: object) -> bool:
    """Full-text search and partitions are each database's own, beyond what a Table can say."""
    own = ("message_search", "ix_message_words", "event_log_", "log_era")
    return name is None or not (name.startswith(own) or name in ("era", "first"))


def _structure(connection: sa.Connection) -> dict[str, Any]:
    """What each table is made of, asked for all tables at once."""
    inspector = sa.inspect(connection)
    keys, foreign = inspector.get_multi_pk_constraint(), inspector.get_multi_foreign_keys()
    indexes, uniques = inspector.get_multi_indexes(), inspector.get_multi_unique_constraints()
    return {
        name: (
            sorted((column["name"], str(column["type"]), column["nullable"]) for column in columns),
            keys[schema, name]["constrained_columns"],
            sorted((key["constrained_columns"], key["referred_table"]) for key in foreign[schema, name]),
            sorted((index["name"] or "", index["column_names"]) for index in indexes[schema, name]),
            sorted(unique["column_names"] for unique in uniques[schema, name]),
        )
        for (schema, name), columns in sorted(inspector.get_multi_columns().items(), key=lambda each: each[0][1])
        if name != "alembic_version"
    }


async def test_the_migrated_database_is_the_declared_one(database_url: str) -> None:
    _declare_all_tables()

    def differences(connection: sa.Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _shared})
        return list(compare_metadata(context, metadata))

    assert await on(database_url, differences) == []


async def test_every_step_goes_up_and_down_again(empty_database_url: str) -> None:
    structures: list[dict[str, Any]] = [{}]
    of_data = _OF_DATA[parse_database_url(empty_database_url).get_backend_name()]
    for revision in revisions():
        await migrate(empty_database_url, revision)
        structures.append(await on(empty_database_url, _structure))
        assert (structures[-1] != structures[-2]) is (revision not in of_data)
    for number in range(len(structures) - 2, -1, -1):
        await on(empty_database_url, lambda connection: downgrade(connection, "-1"))
        assert await on(empty_database_url, _structure) == structures[number]
    await migrate(empty_database_url)
    assert await on(empty_database_url, _structure) == structures[-1]


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
