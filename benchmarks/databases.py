"""Generated databases, kept between runs under what they were generated with."""

import asyncio
import fcntl
import hashlib
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import sqlalchemy as sa
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.commands.opening import opened
from app.settings import Settings
from app.storage import migrations
from app.storage.engines import asyncpg_arguments, parse_database_url
from benchmarks.bulk.loading import VERSION, load_bulk
from tests.postgres_server import serving

Fill = Callable[[str], Coroutine[Any, Any, None]]
"""Migrates and loads the empty database at an address."""


def folder() -> Path:
    """Where the databases are kept; its name changes with the structure and with what is loaded."""
    steps = sorted((Path(migrations.__file__).parent / "versions").glob("*.py"))
    structure = hashlib.sha256(b"".join(step.read_bytes() for step in steps)).hexdigest()[:12]
    found = Path(tempfile.gettempdir()) / f"switchboard-bench-{structure}-{VERSION}"
    found.mkdir(exist_ok=True)
    return found


def sqlite_url(count: int, console: Console) -> str:
    """The address of an SQLite database with so many interactions, generated when there is none yet."""
    return kept_on_sqlite(str(count), _generator(count, console))


def kept_on_sqlite(name: str, fill: Fill) -> str:
    """The address of an SQLite database of this name, filled when there is none yet."""
    path = folder() / f"{name}.db"
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        for each in (unfinished, *(Path(f"{unfinished}{end}") for end in ("-wal", "-shm"))):
            each.unlink(missing_ok=True)
        asyncio.run(fill(f"sqlite:///{unfinished}"))
        connection = sqlite3.connect(unfinished)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        unfinished.rename(path)
    return f"sqlite:///{path}"


def postgresql(count: int, console: Console) -> AbstractContextManager[tuple[str, list[psutil.Process]]]:
    """A server of our own with so many interactions, generated when there are none yet: its address, its processes."""
    return kept_on_postgresql(f"bench_{count}", _generator(count, console))


@contextmanager
def kept_on_postgresql(name: str, fill: Fill) -> Iterator[tuple[str, list[psutil.Process]]]:
    """A server of our own with a database of this name, filled when there is none yet: its address, its processes.

    It keeps its data in the folder."""
    data = folder() / "postgresql"
    data.mkdir(exist_ok=True)
    with serving(data) as server:
        address = _text(server.url.set(database=name))
        asyncio.run(_prepare(server.url, name, fill))
        yield address, [psutil.Process(server.pid)]


@contextmanager
def alone(console: Console) -> Iterator[None]:
    """Wait until no other run changes these databases, and keep others from it until the block ends."""
    with (folder() / "lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.print("Another run is at these databases; this one waits for it to end.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def copied_file(url: str, name: str) -> Iterator[str]:
    """The address of a copy of an SQLite database, until the block ends."""
    path = Path(url.removeprefix("sqlite:///"))
    copy = path.with_suffix(f".{name}")
    shutil.copyfile(path, copy)
    try:
        yield f"sqlite:///{copy}"
    finally:
        for end in ("", "-wal", "-shm"):
            Path(f"{copy}{end}").unlink(missing_ok=True)


@contextmanager
def copied(address: str, name: str) -> Iterator[str]:
    """The address of a copy of a database of PostgreSQL, until the block ends. Nobody may be connected to it."""
    url = parse_database_url(address)
    copy = f"{url.database}_{name}"
    asyncio.run(_run(url, f"DROP DATABASE IF EXISTS {copy}", f"CREATE DATABASE {copy} TEMPLATE {url.database}"))
    try:
        yield _text(url.set(database=copy))
    finally:
        asyncio.run(_run(url, f"DROP DATABASE IF EXISTS {copy} WITH (FORCE)"))


def libpq_variables(address: str) -> dict[str, str]:
    """The same address as the environment of other clients than ours."""
    url = parse_database_url(address)
    found = {
        "PGHOST": url.query.get("host", url.host),
        "PGPORT": url.query.get("port", url.port),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
    }
    return {name: str(value) for name, value in found.items() if value}


def with_children(processes: list[psutil.Process]) -> list[psutil.Process]:
    """The processes and all that they have started."""
    return processes + [child for process in processes for child in process.children(recursive=True)]


async def generate(url: str, count: int, console: Console) -> None:
    """Migrate and load a database, and say how long that took."""
    started, used = time.perf_counter(), time.process_time()
    await migrations.migrate(url)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with opened(Settings(database_url=url)) as database:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(f"Generating {count:,}", total=count)
            loaded = await load_bulk(database, count, lambda done, _: progress.update(task, completed=done))
    console.print(
        f"Generated {loaded.interactions:,} interactions with {loaded.messages:,} messages in "
        f"{time.perf_counter() - started:.0f} s ({time.process_time() - used:.0f} s of CPU here)"
    )


def _generator(count: int, console: Console) -> Fill:
    return lambda url: generate(url, count, console)


async def _prepare(server: sa.URL, name: str, fill: Fill) -> None:
    connection = await _connect(_text(server))
    try:
        known = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        if name in known:
            return
        if (unfinished := f"{name}_unfinished") in known:
            await connection.execute(f"DROP DATABASE {unfinished}")
        await connection.execute(f"CREATE DATABASE {unfinished}")
        url = _text(server.set(database=unfinished))
        await fill(url)
        await _analyze(url)
        await connection.execute(f"ALTER DATABASE {unfinished} RENAME TO {name}")
    finally:
        await connection.close()


async def _run(url: sa.URL, *statements: str) -> None:
    connection = await _connect(_text(url.set(database="postgres")))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _analyze(url: str) -> None:
    """What a server does by itself a minute later."""
    connection = await _connect(url)
    try:
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def _connect(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(**asyncpg_arguments(parse_database_url(url)))


def _text(url: sa.URL) -> str:
    return url.render_as_string(hide_password=False)


def size_of(url: str) -> int | None:
    """Bytes of an SQLite database's file; None for another one."""
    found = sa.make_url(url)
    return os.path.getsize(found.database) if found.database and found.get_backend_name() == "sqlite" else None
