"""Copies an SQLite database while it is in use, and restores copies."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from app.storage.engines import ConfigurationError, connect_sqlite, plain_failures
from app.storage.migrations import revisions

PAGES_AT_ONCE = 1_024
"""How many pages are copied between two progress reports."""

Report = Callable[[int, int], None]
"""Called with the number of pages copied so far, and the number of all pages."""


class Backup(NamedTuple):
    """What a copy contains: the revision of its tables, and its size in bytes."""

    revision: str
    size: int


def back_up(path: str, copy: str, report: Report, *, pages: int = PAGES_AT_ONCE) -> Backup:
    """Copy the database as it is at one moment. Servers can read and write meanwhile.

    The copy gets its name only when it is complete, checked and written to the disk. Only its owner may read it. Raises
    ConfigurationError when the name is taken, or when the database cannot be read."""
    target, part = Path(copy).absolute(), Path(f"{copy}.part").absolute()
    if target.exists():
        raise ConfigurationError(f"{copy} exists already; a backup does not overwrite.")
    if not target.parent.is_dir():
        raise ConfigurationError(f"The folder of {copy} does not exist.")
    if not Path(path).exists():
        raise ConfigurationError(f"There is no database {path}.")
    with closing(connect_sqlite(path, read_only=True)) as source, plain_failures(path):
        _require_ours(source, path)
        # The snapshot is held until the copy is complete. Without it, SQLite starts again after each write by others.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        try:
            part.unlink(missing_ok=True)
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with closing(sqlite3.connect(part, isolation_level=None)) as made:
                _copy(source, made, report, pages)
                # The backup is one file: the files that SQLite keeps beside a database are not needed.
                made.execute("PRAGMA journal_mode = DELETE")
                revision = _require_whole(made, copy)
            _write_through(part)
            os.link(part, target)  # fails when the name was taken meanwhile
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
    """Replace the content of the database by a copy, in one SQLite transaction. An interrupted restore is undone when
    the file is next opened.

    Raises ConfigurationError when the copy is damaged, is no backup, or is from a newer version; when another process
    uses the database; and when the database has tables and may not be replaced."""
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
    """The database, locked against other processes until the end of the block.

    Raises ConfigurationError when another process has it open."""
    with closing(connect_sqlite(path)) as connection, plain_failures(path):
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        try:
            # SQLite gives up the write-ahead log only when no other connection is open.
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
    """The revision of the database. Raises ConfigurationError when it does not have our tables."""
    try:
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.OperationalError, TypeError):
        raise ConfigurationError(f"{path} holds no tables of Switchboard.") from None
    return str(revision)


def _require_whole(connection: sqlite3.Connection, path: str) -> str:
    """The revision of the database. Raises ConfigurationError when it is damaged, or when a foreign key points to no
    row."""
    revision = _require_ours(connection, path)
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise ConfigurationError(f"{path} is damaged: {found}.")
    if (row := connection.execute("PRAGMA foreign_key_check").fetchone()) is not None:
        raise ConfigurationError(f"{path} is damaged: rows of {row[0]} point to rows of {row[2]} that are missing.")
    return revision


def _write_through(path: Path) -> None:
    """Make the operating system write the file, or the entries of a folder, to the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
