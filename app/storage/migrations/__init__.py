"""The database's structure, migrated step by step inside the process."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.storage.engines import (
    ConfigurationError,
    connect_sqlite,
    parse_database_url,
    plain_failures,
    sqlite_engine,
)
from app.storage.migrations.steps import Superseded, begin, commit_revision

_FOLDER = Path(__file__).parent
_LOCK = 0x5B0A
_PATIENCE_MS = 60_000
_BETWEEN_TRIES = 0.1
# Alembic keeps its state in global variables of the process.
_ONE_AT_A_TIME = threading.Lock()


async def migrate(database_url: str, revision: str = "head") -> None:
    """Upgrade a database to a revision. Several processes may start this at once.

    Each revision, or each step of a long one, is a transaction: after a kill, the next start continues from there.
    Raises ConfigurationError when the address or the database cannot be used, and when a foreign key would point to no
    row."""
    url = parse_database_url(database_url)
    if url.get_backend_name() == "sqlite":
        await asyncio.to_thread(_migrate_sqlite, str(url.database), revision)
        return
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            # The lock belongs to the connection, not to a transaction: it lasts across commits, and ends with a killed
            # process.
            while not await connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_LOCK))):
                # Not in a statement: an index that is built beside others waits for the end of those before it.
                await connection.rollback()
                await asyncio.sleep(_BETWEEN_TRIES)
            await connection.run_sync(_upgrade, revision)
    finally:
        await engine.dispose()


def _upgrade(connection: sa.Connection, revision: str) -> None:
    """Upgrade in transactions that end here. On SQLite, foreign keys must be off.

    Raises ConfigurationError when the database is at an unknown revision, and Superseded."""
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in revisions():
        raise ConfigurationError(
            f"The database is at revision {current}, which this version of Switchboard does not know: "
            "it is a newer version's, or another program's."
        )
    config = _config(connection)
    config.attributes["on_version_apply"] = commit_revision
    command.upgrade(config, revision)
    connection.commit()


def downgrade(connection: sa.Connection, revision: str) -> None:
    """Downgrade inside the caller's transaction. On SQLite it must have been begun with foreign keys off."""
    command.downgrade(_config(connection), revision)


def revisions() -> list[str]:
    """Every revision, oldest first."""
    script = ScriptDirectory(str(_FOLDER))
    return [found.revision for found in script.walk_revisions()][::-1]


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _migrate_sqlite(path: str, revision: str) -> None:
    # Rebuilding a table with foreign keys on would delete the rows that refer to it.
    driver = connect_sqlite(path, foreign_keys=False)
    try:
        with _ONE_AT_A_TIME, plain_failures(path):
            driver.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
            while not _upgraded_sqlite(driver, revision):
                pass
    finally:
        driver.close()


def _upgraded_sqlite(driver: sqlite3.Connection, revision: str) -> bool:
    """Upgrade. Returns True when it reached the end, and False when another process continued instead."""
    with sqlite_engine(driver).connect() as connection:
        begin(connection)
        try:
            _upgrade(connection, revision)
        except Superseded:
            return False
    return True
