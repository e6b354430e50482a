"""Copies of an SQLite database, made while it is written to, and restored whole."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from app.storage.engines import ConfigurationError, connect_sqlite, plain_failures
from app.storage.migrations import revisions

PAGES_AT_ONCE = 1_024
"""Pages that are copied between two reports."""

Report = Callable[[int, int], None]
"""Takes how many pages are copied, and of how many."""


class Backup(NamedTuple):
    """What a copy holds: the revision of its tables, and its size in bytes."""

    revision: str
    size: int


def back_up(path: str, copy: str, report: Report, *, pages: int = PAGES_AT_ONCE) -> Backup:
    """Copy the database as it is at one moment. Servers go on reading and writing meanwhile.

    The copy is there under its name once it is whole, checked and written to the disk, and its owner alone may read it.
    Raises ConfigurationError for a name that is taken, and for a database that cannot be read."""
    target, part = Path(copy).absolute(), Path(f"{copy}.part").absolute()
    if target.exists():
        raise ConfigurationError(f"{copy} exists already; a backup does not overwrite.")
    if not target.parent.is_dir():
        raise ConfigurationError(f"The folder of {copy} does not exist.")
    if not Path(path).exists():
        raise ConfigurationError(f"There is no database {path}.")
    with closing(connect_sqlite(path, read_only=True)) as source, plain_failures(path):
        _require_ours(source, path)
        # The snapshot is held until the copy is whole: without it SQLite would begin anew after each change of others.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        try:
            part.unlink(missing_ok=True)
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with closing(sqlite3.connect(part, isolation_level=None)) as made:
                _copy(source, made, report, pages)
                # One file, whatever becomes of those that SQLite keeps beside one.
                made.execute("PRAGMA journal_mode = DELETE")
                revision = _require_whole(made, copy)
            _write_through(part)
            os.link(part, target)  # fails for a name that was taken meanwhile
        except FileExistsError:
            raise ConfigurationError(f"{copy} exists already; a backup does not overwrite.") from None
        except OSError as error:
            raise ConfigurationError(f"{copy} cannot be written: {error.strerror}.") from None
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
    _write_through(target.parent)
    return Backup(revision, target.stat().st_size)


def restore(copy: str, path: str, report: Report, *, replace: bool = False, pages: int = PAGES_AT_ONCE) -> Backup:
    """Put a copy in the place of the database, in one transaction of SQLite's: a restore that is interrupted is undone
    when the file is next opened.

    Raises ConfigurationError for a copy that is damaged, no backup or a newer version's, for a database that is used by
    another process, and for one with tables unless it may be replaced."""
    if not Path(copy).exists():
        raise ConfigurationError(f"There is no backup {copy}.")
    if Path(path).exists() and Path(path).samefile(copy):
        raise ConfigurationError(f"{copy} is the database itself.")
    with closing(connect_sqlite(copy, read_only=True)) as source, plain_failures(copy):
        revision = _require_whole(source, copy)
        known = revisions()
        if revision not in known:
            raise ConfigurationError(f"{copy} is at revision {revision}, which this version does not know.")
        with _alone(path) as target:
            tables = target.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if tables and not replace:
                raise ConfigurationError(f"There is a database {path}; --replace puts the backup in its place.")
            _copy(source, target, report, pages)
            _require_whole(target, path)
    return Backup(revision, Path(path).stat().st_size)


@contextmanager
def _alone(path: str) -> Iterator[sqlite3.Connection]:
    """The database, which no other process may open until the end of the block.

    Raises ConfigurationError when one has it open."""
    with closing(connect_sqlite(path)) as connection, plain_failures(path):
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        try:
            # SQLite leaves the write-ahead log only for whoever is alone.
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            mode = "wal"
        if mode != "delete":
            raise ConfigurationError(f"{path} is in use: stop the servers and commands that have it open.")
        yield connection


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, report: Report, pages: int) -> None:
    def progress(_status: int, left: int, of: int) -> None:
        report(of - left, of)

    source.backup(target, pages=pages, progress=progress)


def _require_ours(connection: sqlite3.Connection, path: str) -> str:
    """The revision of the database. Raises ConfigurationError for one without our tables."""
    try:
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.OperationalError, TypeError):
        raise ConfigurationError(f"{path} holds no tables of Switchboard.") from None
    return str(revision)


def _require_whole(connection: sqlite3.Connection, path: str) -> str:
    """The revision. Raises ConfigurationError for a damaged database, and for rows that point nowhere."""
    revision = _require_ours(connection, path)
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise ConfigurationError(f"{path} is damaged: {found}.")
    if (row := connection.execute("PRAGMA foreign_key_check").fetchone()) is not None:
        raise ConfigurationError(f"{path} is damaged: rows of {row[0]} point to rows of {row[2]} that are missing.")
    return revision


def _write_through(path: Path) -> None:
    """Have the system write the file, or the names of a folder, to the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
