"""Generated databases, kept between runs under what they were generated with."""

import asyncio
import hashlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def folder() -> Path:
    """Where the databases are kept; its name changes with the structure and with what is loaded."""
    steps = sorted((Path(migrations.__file__).parent / "versions").glob("*.py"))
    structure = hashlib.sha256(b"".join(step.read_bytes() for step in steps)).hexdigest()[:12]
    found = Path(tempfile.gettempdir()) / f"switchboard-bench-{structure}-{VERSION}"
    found.mkdir(exist_ok=True)
    return found


def sqlite_url(count: int, console: Console) -> str:
    """The address of an SQLite database with so many interactions, generated when there is none yet."""
    path = folder() / f"{count}.db"
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        for name in (unfinished, *(Path(f"{unfinished}{end}") for end in ("-wal", "-shm"))):
            name.unlink(missing_ok=True)
        asyncio.run(generate(f"sqlite:///{unfinished}", count, console))
        connection = sqlite3.connect(unfinished)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        unfinished.rename(path)
    return f"sqlite:///{path}"


@contextmanager
def postgresql(count: int, console: Console) -> Iterator[tuple[str, list[psutil.Process]]]:
    """A server of our own with so many interactions: its address, and its processes.

    It keeps its data in the folder, so that it is generated once."""
    data = folder() / "postgresql"
    data.mkdir(exist_ok=True)
    with serving(data) as server:
        url = server.url
        address = _text(url.set(database=f"bench_{count}"))
        asyncio.run(_prepare(url, address, f"bench_{count}", count, console))
        yield address, [psutil.Process(server.pid)]


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


async def _prepare(server: sa.URL, address: str, name: str, count: int, console: Console) -> None:
    connection = await _connect(_text(server))
    try:
        known = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        if name in known:
            return
        if (unfinished := f"{name}_unfinished") in known:
            await connection.execute(f"DROP DATABASE {unfinished}")
        await connection.execute(f"CREATE DATABASE {unfinished}")
        url = _text(server.set(database=unfinished))
        await generate(url, count, console)
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
