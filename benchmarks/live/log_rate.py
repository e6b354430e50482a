"""How fast the log is written: a bare insert against an append, which gives every event its place."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable

from app.core.events import EventRecord
from app.storage.engines import asyncpg_arguments, connect_sqlite, parse_database_url
from app.storage.event_log.tables import event_log, lane
from app.storage.event_log.writing import APPEND_TO_LANE, Entry, append_sqlite, encode, lane_of

WRITERS = 16
_COLUMNS = [column.name for column in event_log.columns][2:]
_ERAS = (
    "ALTER TABLE lane ADD COLUMN era integer NOT NULL DEFAULT 0",
    "ALTER TABLE event_log ADD COLUMN era integer NOT NULL",
)
"""What PostgreSQL's log has beside, without its partitions."""
_BARE = "bare_log"
_BARE_INSERT = "bare insert"
_ROUNDS = 5
_INTERACTIONS = 997
_SQLITE = parse_database_url("sqlite:///log.db").get_dialect()()
_POSTGRESQL = parse_database_url("postgresql://").get_dialect()()

Write = Callable[[Any, EventRecord, Entry], Awaitable[None]]


@dataclass(slots=True)
class Rate:
    """Events written, each commit durable; in rounds that take turns with the other ways, so that what else the disk
    does meets all of them."""

    how: str
    events: int = 0
    seconds: float = 0.0

    def add(self, events: int, seconds: float) -> None:
        self.events += events
        self.seconds += seconds

    @property
    def per_second(self) -> float:
        return self.events / self.seconds

    @property
    def is_bare(self) -> bool:
        return self.how.startswith(_BARE_INSERT)


def on_sqlite(folder: Path, seconds: float) -> list[Rate]:
    """One writer, an event or 32 to a commit; in a file that goes with the measurement."""
    with _file(folder / "log.db") as connection:
        found = [Rate(f"{how}, {size} a commit") for size in (1, 32) for how in (_BARE_INSERT, "append")]
        for _ in range(_ROUNDS):
            for rate, size, write in zip(found, (1, 1, 32, 32), (_insert, append_sqlite) * 2, strict=True):
                rate.add(*_repeat(connection, size, seconds / _ROUNDS, write))
        return found


async def on_postgresql(url: str, seconds: float) -> list[Rate]:
    """Sixteen writers, one event to a commit, as many lanes as there are at `url`; in a database of its own that goes
    with the measurement."""
    name = "bench_log"
    server = sa.make_url(url)
    admin = await _connect(server)
    try:
        lanes = await admin.fetchval("SELECT count(*) FROM lane")
        await admin.execute(f"DROP DATABASE IF EXISTS {name}")
        await admin.execute(f"CREATE DATABASE {name}")
        try:
            return await _rates(server.set(database=name), seconds, lanes)
        finally:
            await admin.execute(f"DROP DATABASE {name}")
    finally:
        await admin.close()


def _event(number: int) -> EventRecord:
    return EventRecord(
        topic="session.labelled",
        kind="session",
        interaction_id=number % _INTERACTIONS + 1,
        customer_id=number % _INTERACTIONS + 1,
        actor_id=1,
        version=number,
        data={
            "changes": [{"field": "labels", "before": ["vip"], "after": ["vip", "refund"]}],
            "before": {"labels": []},
        },
    )


def _insert(cursor: sqlite3.Cursor, entries: Sequence[tuple[EventRecord, Entry]]) -> None:
    cursor.executemany(_bare_insert(["?"] * len(_COLUMNS)), [entry for _, entry in entries])


def _bare_insert(places: Sequence[str]) -> str:
    return f"INSERT INTO {_BARE} ({', '.join(_COLUMNS)}) VALUES ({', '.join(places)})"


def _repeat(
    connection: sqlite3.Connection,
    size: int,
    seconds: float,
    write: Callable[[Any, Sequence[tuple[EventRecord, Entry]]], object],
) -> tuple[int, float]:
    cursor = connection.cursor()
    written = 0
    started = time.perf_counter()
    while (taken := time.perf_counter() - started) < seconds:
        entries = encode([_event(written + place) for place in range(size)], datetime.now(UTC), _SQLITE)
        cursor.execute("BEGIN IMMEDIATE")
        write(cursor, entries)
        cursor.execute("COMMIT")
        written += size
    return written, taken


@contextmanager
def _file(path: Path) -> Iterator[sqlite3.Connection]:
    names = [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))]
    for name in names:
        name.unlink(missing_ok=True)
    connection = connect_sqlite(str(path))
    try:
        for statement in _structure(_SQLITE, 1, "position INTEGER PRIMARY KEY AUTOINCREMENT"):
            connection.execute(statement)
        yield connection
    finally:
        connection.close()
        for name in names:
            name.unlink(missing_ok=True)


def _structure(dialect: sa.Dialect, lanes: int, key: str) -> Iterator[str]:
    """The log, and beside it a table with the same columns and index whose key the database counts by itself."""
    for table in (lane, event_log):
        yield str(CreateTable(table).compile(dialect=dialect))
    for index in event_log.indexes:
        yield str(CreateIndex(index).compile(dialect=dialect))
    for number in range(lanes):
        yield f"INSERT INTO lane (id, head, oldest) VALUES ({number}, 0, 1)"
    columns = [
        f"{column.name} {column.type.compile(dialect=dialect)}{'' if column.nullable else ' NOT NULL'}"
        for column in list(event_log.columns)[2:]
    ]
    yield f"CREATE TABLE {_BARE} ({key}, {', '.join(columns)})"
    yield f"CREATE INDEX {_BARE}_interaction ON {_BARE} (interaction_id, position)"


async def _rates(url: sa.URL, seconds: float, lanes: int) -> list[Rate]:
    connections = [await _connect(url) for _ in range(WRITERS)]
    try:
        key = "position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
        for statement in (*_structure(_POSTGRESQL, lanes, key), *_ERAS):
            await connections[0].execute(statement)
        places = [f"${number}" for number in range(1, len(_COLUMNS) + 1)]
        bare = _bare_insert(places)

        async def insert(connection: Any, _event: EventRecord, entry: Entry) -> None:
            await connection.execute(bare, *entry)

        def append(among: int) -> Write:
            async def write(connection: Any, event: EventRecord, entry: Entry) -> None:
                columns = [[value] for value in entry]
                await connection.execute(APPEND_TO_LANE, lane_of(event, among), 1, *columns)

            return write

        found = [
            Rate(f"{how}, {WRITERS} writers") for how in (_BARE_INSERT, "append to 1 lane", f"append to {lanes} lanes")
        ]
        for _ in range(_ROUNDS):
            for rate, write in zip(found, (insert, append(1), append(lanes)), strict=True):
                rate.add(*await _together(connections, seconds / _ROUNDS, write))
        return found
    finally:
        for connection in connections:
            await connection.close()


async def _together(connections: Sequence[Any], seconds: float, write: Write) -> tuple[int, float]:
    numbers = count()
    written = 0
    started = time.perf_counter()

    async def one(connection: Any) -> None:
        nonlocal written
        while time.perf_counter() - started < seconds:
            ((event, entry),) = encode([_event(next(numbers))], datetime.now(UTC), _POSTGRESQL)
            await write(connection, event, entry)
            written += 1

    await asyncio.gather(*(one(connection) for connection in connections))
    return written, time.perf_counter() - started


async def _connect(url: sa.URL) -> Any:
    return await asyncpg.connect(**asyncpg_arguments(parse_database_url(url.render_as_string(hide_password=False))))
