"""Backups of SQLite that are made under load, restored, interrupted and damaged."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from app.core.events import EventRecord
from app.settings import Settings
from app.storage.backup import back_up, restore
from app.storage.database import Database, Work, open_database
from app.storage.engines import ConfigurationError
from tests.command_line import FORKED
from tests.conftest import CountingIds, ManualClock

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]

Open = Callable[[], AbstractAsyncContextManager[Database]]
Rows = Mapping[str, list[tuple[Any, ...]]]


def path_of(database_url: str) -> str:
    return database_url.removeprefix("sqlite:///")


def rows_of(path: str | Path) -> Rows:
    """Every row of every table."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(connection.execute(f'SELECT * FROM "{name}"'), key=repr) for name in names}


@pytest.fixture
def open_(database_url: str, clock: ManualClock, ids: CountingIds, settings: Settings) -> Open:
    """Opens the database for as long as a block lasts."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Database]:
        database = await open_database(database_url, clock=clock, ids=ids, settings=settings)
        try:
            yield database
        finally:
            await database.close()

    return opened


def silent(_done: int, _of: int) -> None:
    """Nobody looks."""


def write(work: Work, count: int) -> None:
    """Rows whose number is that of the events, in the same unit."""
    for _ in range(count):
        work.record(EventRecord(topic="test.written", data={"text": "x" * 500}))


async def test_backup_under_load_is_one_moment_of_the_database(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    path, copy = path_of(database_url), tmp_path / "copy.db"
    await database.command(write, 1_000)
    before = rows_of(path)
    loop = asyncio.get_running_loop()
    reports: list[int] = []

    def report(done: int, _of: int) -> None:
        # A unit is committed between two parts of the copy, which only its snapshot keeps at one moment.
        asyncio.run_coroutine_threadsafe(database.command(write, 7), loop).result(30)
        reports.append(done)

    made = await asyncio.to_thread(back_up, path, str(copy), report, pages=32)
    assert len(reports) > 5
    assert rows_of(copy) == before
    assert len(rows_of(path)["event_log"]) == 1_000 + 7 * len(reports)
    assert (made.size, copy.stat().st_mode & 0o777) == (copy.stat().st_size, 0o600)
    assert [each for each in os.listdir(tmp_path) if "copy" in each] == ["copy.db"]


async def test_restore_brings_every_row_back(database_url: str, tmp_path: Path, open_: Open) -> None:
    path, copy = path_of(database_url), str(tmp_path / "copy.db")
    async with open_() as database:
        await database.command(write, 50)
    back_up(path, copy, silent)
    kept = rows_of(copy)
    async with open_() as database:
        await database.command(write, 50)
    changed = rows_of(path)
    with pytest.raises(ConfigurationError, match="--replace puts the backup in its place"):
        restore(copy, path, silent)
    assert rows_of(path) == changed != kept
    restore(copy, path, silent, replace=True)
    assert rows_of(path) == kept
    async with open_() as database:
        await database.command(write, 1)
    assert len(rows_of(path)["event_log"]) == 51
    # Where there is no database, none has to be replaced.
    elsewhere = str(tmp_path / "elsewhere.db")
    restore(copy, elsewhere, silent)
    assert rows_of(elsewhere) == kept


@pytest.mark.parametrize("after", [1, 3])
async def test_killed_restore_leaves_the_database_as_it_was(
    database_url: str, tmp_path: Path, open_: Open, after: int
) -> None:
    path, copy = path_of(database_url), str(tmp_path / "copy.db")
    async with open_() as database:
        await database.command(write, 500)
    back_up(path, copy, silent)
    async with open_() as database:
        await database.command(write, 500)
    before = rows_of(path)
    process = FORKED.Process(target=_restore_until_killed, args=(copy, path, after))
    process.start()
    await asyncio.to_thread(process.join, 60)
    assert process.exitcode == -signal.SIGKILL
    assert rows_of(path) == before
    async with open_() as database:
        await database.command(write, 1)
    restore(copy, path, silent, replace=True)
    assert rows_of(path) == rows_of(copy)


def _restore_until_killed(copy: str, path: str, after: int) -> None:
    reports = []

    def report(_done: int, _of: int) -> None:
        reports.append(0)
        if len(reports) == after:
            os.kill(os.getpid(), signal.SIGKILL)

    restore(copy, path, report, replace=True, pages=32)


async def test_killed_backup_leaves_nothing_under_its_name(database_url: str, tmp_path: Path) -> None:
    path, copy = path_of(database_url), tmp_path / "copy.db"
    process = FORKED.Process(target=_back_up_until_killed, args=(path, str(copy)))
    process.start()
    await asyncio.to_thread(process.join, 60)
    assert (process.exitcode, copy.exists()) == (-signal.SIGKILL, False)
    back_up(path, str(copy), silent)  # what it has left is in nobody's way
    assert rows_of(copy) == rows_of(path)


def _back_up_until_killed(path: str, copy: str) -> None:
    back_up(path, copy, lambda _done, _of: os.kill(os.getpid(), signal.SIGKILL), pages=16)


async def test_restore_into_a_database_in_use_is_refused(database_url: str, tmp_path: Path, open_: Open) -> None:
    path, copy = path_of(database_url), str(tmp_path / "copy.db")
    back_up(path, copy, silent)
    async with open_() as database:
        await database.command(write, 5)
        before = rows_of(path)
        with pytest.raises(ConfigurationError, match="is in use: stop the servers"):
            restore(copy, path, silent, replace=True)
        assert rows_of(path) == before
        await database.command(write, 1)  # it was not disturbed
    assert len(rows_of(path)["event_log"]) == 6


async def test_copy_that_is_no_backup_is_refused(database_url: str, tmp_path: Path) -> None:
    path = path_of(database_url)
    before = rows_of(path)
    copies = {name: tmp_path / f"{name}.db" for name in ("missing", "text", "empty", "newer", "dangling", "torn")}
    copies["text"].write_text("some words " * 1_000, encoding="utf-8")
    sqlite3.connect(copies["empty"]).close()
    for name in ("newer", "dangling", "torn"):
        back_up(path, str(copies[name]), silent)
    with closing(sqlite3.connect(copies["newer"], isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with closing(sqlite3.connect(copies["dangling"], isolation_level=None)) as connection:
        connection.execute("INSERT INTO stream_ticket SELECT * FROM stream_ticket")
        connection.execute("INSERT INTO profile_word (owner_id, word) VALUES (77, 'nobody')")
    whole = copies["torn"].read_bytes()
    copies["torn"].write_bytes(whole[: len(whole) // 2])
    said = {
        "missing": "There is no backup",
        "text": "it is not an SQLite database",
        "empty": "holds no tables of Switchboard",
        "newer": "is at revision 9999, which this version does not know",
        "dangling": "is damaged: rows of profile_word point to rows of profile that are missing",
        "torn": "damaged|malformed",
    }
    for name, copy in copies.items():
        with pytest.raises(ConfigurationError, match=said[name]):
            restore(str(copy), path, silent, replace=True)
        assert rows_of(path) == before
    with pytest.raises(ConfigurationError, match="is the database itself"):
        restore(path, path, silent, replace=True)


async def test_backup_does_not_overwrite_and_makes_no_folder(database_url: str, tmp_path: Path) -> None:
    path = path_of(database_url)
    taken = tmp_path / "taken.db"
    taken.write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="exists already"):
        back_up(path, str(taken), silent)
    assert taken.read_text(encoding="utf-8") == "mine"
    with pytest.raises(ConfigurationError, match=r"folder of .* does not exist"):
        back_up(path, str(tmp_path / "no" / "copy.db"), silent)
    with pytest.raises(ConfigurationError, match="There is no database"):
        back_up(str(tmp_path / "other.db"), str(tmp_path / "copy.db"), silent)
    assert not (tmp_path / "other.db").exists()
