"""Database addresses."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from app.settings import Settings
from app.storage import engines
from app.storage.database import open_database
from app.storage.engines import ConfigurationError, connect_sqlite, parse_database_url
from app.storage.migrations import migrate
from tests.conftest import CountingIds, ManualClock
from tests.sharing import PREPARE_SQLITE


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("sqlite:///a/b.db", "sqlite+aiosqlite:///a/b.db"),
        ("sqlite+aiosqlite:////a/b.db", "sqlite+aiosqlite:////a/b.db"),
        ("postgres://u:p@h:1/d", "postgresql+asyncpg://u:p@h:1/d"),
        ("postgresql://u:p@h/d?sslmode=require", "postgresql+asyncpg://u:p@h/d?ssl=require"),
        ("postgresql+asyncpg:///d?host=/run", "postgresql+asyncpg:///d?host=%2Frun"),
    ],
)
def test_addresses_are_normalised(text: str, normal: str) -> None:
    assert parse_database_url(text).render_as_string(hide_password=False) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory",
        "mysql://user:hunter2@host/name",
        "postgresql+psycopg2://user:hunter2@host/name",
        "postgresql://user:hunter2@host:port/name",
        "postgresql://user:hunter2@host:99999/name",
        "postgresql://user:hunter2@host:0/name",
        "postgresql://user:hunter2@host/name?port=99999",
        "postgresql://user:hunter2@host/name?port=port",
        "postgresql://user:hunter2@host/name?shoe=size",
        "hunter2",
    ],
)
def test_other_addresses_are_refused_without_their_password(text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_database_url(text)
    assert "hunter2" not in str(refused.value)


@pytest.mark.anyio
async def test_a_database_without_our_tables_is_refused(
    empty_database_url: str, clock: ManualClock, ids: CountingIds, settings: Settings
) -> None:
    with pytest.raises(ConfigurationError, match="migrate it first"):
        await open_database(empty_database_url, clock=clock, ids=ids, settings=settings)


@pytest.mark.anyio
async def test_a_folder_that_is_not_there_is_told(
    tmp_path: Path, clock: ManualClock, ids: CountingIds, settings: Settings
) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        await open_database(f"sqlite:///{tmp_path}/no/x.db", clock=clock, ids=ids, settings=settings)


@pytest.fixture
def foreign(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """What is not a database of ours: by the fixture's parameter."""
    path = tmp_path / "foreign.db"
    if request.param == "folder":
        path.mkdir()
    elif request.param == "text":
        path.write_bytes(b"Dear diary, " * 1000)
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE a (b)")
        with path.open("r+b") as file:
            # A higher version of the file format than SQLite's own makes it read the file and refuse to write.
            file.seek(18)
            file.write(b"\x03")
    return path


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("foreign", "says"),
    [
        ("folder", "it is a folder"),
        ("text", "it is not an SQLite database"),
        ("read-only", "this user needs to write to it and to its folder"),
    ],
    indirect=["foreign"],
)
async def test_database_file_that_cannot_be_used_is_told(
    foreign: Path, says: str, clock: ManualClock, ids: CountingIds, settings: Settings
) -> None:
    expected = f"The SQLite file {foreign} cannot be used: {says}."
    with pytest.raises(ConfigurationError) as refused:
        await migrate(f"sqlite:///{foreign}")
    assert str(refused.value) == expected
    if says != "this user needs to write to it and to its folder":  # it opens, and is without our tables
        with pytest.raises(ConfigurationError) as refused:
            await open_database(f"sqlite:///{foreign}", clock=clock, ids=ids, settings=settings)
        assert str(refused.value) == expected


_MIGRATE = """
import asyncio, concurrent.futures.thread, os, sys
from app.storage.engines import ConfigurationError
from app.storage.migrations import migrate
if os.getuid() == 0:  # every right is root's: this has to be somebody else
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    asyncio.run(migrate(sys.argv[1]))
except ConfigurationError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize(
    ("mode", "says"),
    [(0o000, "this user may not read it"), (0o444, "this user needs to write to it and to its folder")],
)
def test_database_file_without_rights_is_told(mode: int, says: str) -> None:
    with TemporaryDirectory() as folder:  # tmp_path is closed to other users
        path = Path(folder) / "switchboard.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE a (b)")
        Path(folder).chmod(0o755)
        path.chmod(mode)
        done = subprocess.run(
            [sys.executable, "-c", _MIGRATE, f"sqlite:///{path}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, f"The SQLite file {path} cannot be used: {says}.\n")


def test_sqlite_file_that_another_process_writes_for_the_first_time_is_waited_for(tmp_path: Path) -> None:
    """SQLite itself says at once that the file is locked: two starts at once would end one of them."""
    path = str(tmp_path / "new.db")
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("CREATE TABLE a (x)")
    timer = threading.Timer(0.05, writer.execute, ("COMMIT",))
    timer.start()
    connection = connect_sqlite(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    timer.join()
    connection.close()
    writer.close()


def test_sqlite_file_that_stays_locked_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.storage.engines.BUSY_TIMEOUT_MS", 20)
    path = str(tmp_path / "new.db")
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with pytest.raises(ConfigurationError, match=r"new\.db cannot be used: database is locked"):
        connect_sqlite(path)
    writer.close()


def test_commit_to_sqlite_survives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_prepare", PREPARE_SQLITE)
    with closing(connect_sqlite(str(tmp_path / "x.db"))) as connection:
        settings = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "secure_delete")]
    full, on = 2, 1
    assert settings == [full, on]
