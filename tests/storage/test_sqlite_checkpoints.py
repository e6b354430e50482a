"""Checkpoints: the log of an SQLite file is moved into it beside the writer."""

import shutil
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.storage.database import Database, Work
from app.storage.engines import connect_sqlite
from app.storage.sqlite_checkpoints import PAGES_OF_WRITER, ROWS_BETWEEN, Checkpoints
from tests.serving import eventually
from tests.storage.conftest import sample

pytestmark = pytest.mark.anyio

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.db"


@pytest.fixture
def writer(path: Path) -> Iterator[sqlite3.Connection]:
    """It leaves the log alone, and so the file has what was moved by others."""
    connection = connect_sqlite(str(path))
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("CREATE TABLE t (i)")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    yield connection
    connection.close()


def in_the_file(path: Path, table: str = "t") -> int:
    """How many rows are there without the log; none while they are being moved."""
    alone = shutil.copyfile(path, path.with_suffix(".alone"))
    connection = sqlite3.connect(alone)
    try:
        found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    except sqlite3.DatabaseError:
        return 0
    finally:
        connection.close()
        for each in path.parent.glob("*.alone*"):
            each.unlink()
    return found


def is_in_the_file(path: Path, rows: int) -> bool:
    return in_the_file(path) == rows


def fill(connection: sqlite3.Connection, rows: int) -> None:
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(rows)])
    connection.execute("COMMIT")


async def test_checkpoints_move_the_log_once_many_rows_have_changed(path: Path, writer: sqlite3.Connection) -> None:
    checkpoints = Checkpoints(str(path))
    try:
        for rows in (ROWS_BETWEEN, 2 * ROWS_BETWEEN):
            fill(writer, ROWS_BETWEEN)
            checkpoints.committed(writer.total_changes)
            await eventually(partial(is_in_the_file, path, rows))
    finally:
        checkpoints.close()


def test_checkpoints_leave_a_few_rows_in_the_log(path: Path, writer: sqlite3.Connection) -> None:
    checkpoints = Checkpoints(str(path))
    fill(writer, ROWS_BETWEEN - 1)
    checkpoints.committed(writer.total_changes)
    checkpoints.close()
    assert in_the_file(path) == 0


async def test_checkpoints_go_on_after_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "later" / "some.db"
    checkpoints = Checkpoints(str(path))
    try:
        checkpoints.committed(ROWS_BETWEEN)
        path.parent.mkdir()
        writer = connect_sqlite(str(path))
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("CREATE TABLE t (i)")
        fill(writer, ROWS_BETWEEN)
        checkpoints.committed(2 * ROWS_BETWEEN)
        await eventually(lambda: path.stat().st_size > 4096 and in_the_file(path) == ROWS_BETWEEN)
        writer.close()
    finally:
        checkpoints.close()


@on_sqlite
async def test_commands_have_their_log_moved_by_another_thread(scratch_database: Database, tmp_path: Path) -> None:
    path = tmp_path / "switchboard.db"

    def write(work: Work) -> int:
        work.connection.execute(sa.insert(sample), [{"name": f"row {number}"} for number in range(ROWS_BETWEEN)])
        pages: int = work.connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar_one()
        return pages

    assert await scratch_database.command(write) == PAGES_OF_WRITER
    await eventually(lambda: in_the_file(path, "sample") == ROWS_BETWEEN)
