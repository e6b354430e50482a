"""Checks an SQLite database without changing it."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import sqlalchemy as sa

from app.doctor.findings import Finding, fault, ok, warning
from app.doctor.structure import structure
from app.storage.engines import ConfigurationError, connect_sqlite, plain_failures

LEAST_FREE = 1 << 30
"""Free bytes of the disk below which there is a warning. A larger database needs as much as its own size."""

_VARIABLE = "SWITCHBOARD_DATABASE_URL"


async def sqlite(url: sa.URL) -> AsyncIterator[Finding]:
    """The findings about the file, its folder and its tables."""
    for found in await asyncio.to_thread(lambda: list(_file(url))):
        yield found


def _file(url: sa.URL) -> Iterator[Finding]:
    path = str(url.database)
    file = Path(path).absolute()
    folder = file.parent
    if not folder.is_dir():
        yield fault("database", f"The folder {folder} does not exist.", f"Make it, or correct {_VARIABLE}.")
        return
    if not os.access(folder, os.W_OK):
        yield fault(
            "database",
            f"This user may not write to the folder {folder}, where SQLite keeps its log beside the file.",
            "Give the folder to the user that the server runs as.",
        )
        return
    size = file.stat().st_size if file.exists() else 0
    yield disk(str(folder), shutil.disk_usage(folder).free, size)
    if not file.exists():
        yield warning(
            "database", f"There is no file {file} yet.", "The first start makes it; is this the right folder?"
        )
        return
    if file.is_file() and not os.access(file, os.W_OK):
        yield fault(
            "database", f"This user may not write to {file}.", "Give the file to the user that the server runs as."
        )
        return
    try:
        connection = connect_sqlite(path, read_only=True)
    except ConfigurationError as error:
        yield _unusable(error)
        return
    try:
        with plain_failures(path):
            revision, indexes = _read(connection)
    except ConfigurationError as error:
        yield _unusable(error)
        return
    finally:
        connection.close()
    yield ok("database", f"{file} has {size:,} bytes.")
    yield from structure(revision, indexes, (), url.get_dialect()())


def _unusable(error: ConfigurationError) -> Finding:
    return fault("database", str(error), f"Correct {_VARIABLE}, or restore a backup: `restore`, docs/operations.md.")


def _read(connection: sqlite3.Connection) -> tuple[str | None, set[str]]:
    """The revision, None without our tables, and the names of the indexes."""
    names = connection.execute("SELECT name, type FROM sqlite_master").fetchall()
    if ("alembic_version", "table") not in names:
        return None, set()
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else row[0], {name for name, type_ in names if type_ == "index"}


def disk(folder: str, free: int, size: int) -> Finding:
    """Whether there is room for the database to grow, and for a copy of it."""
    text = f"The disk of {folder} has {free / (1 << 30):,.1f} GiB free."
    if free < max(LEAST_FREE, size):
        return warning(
            "database",
            text,
            "Make room: SQLite refuses every change when the disk is full, and a backup needs as much.",
        )
    return ok("database", text)
