"""Database addresses, and the connections made from them."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

import aiosqlite
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from app.core.setting_types import LARGEST_PORT
from app.settings import Settings
from app.storage.driver_types import know_arrays, take_json_as_text
from app.storage.liveness import Liveness

T = TypeVar("T")

BUSY_TIMEOUT_MS = 5000
_PAUSE_SECONDS = 0.01
STATEMENTS_KEPT = 512
LONGEST_WAIT = 10.0
"""How many seconds a command waits for a connection to PostgreSQL when all are busy."""

# By these options the server notices that the other end of a connection is gone.
_KEEPALIVE = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
}

_SQLITE = ("sqlite", "sqlite+aiosqlite", "sqlite+pysqlite")
_POSTGRESQL = ("postgres", "postgresql", "postgresql+asyncpg")
_POSTGRESQL_OPTIONS = {"host", "port", "ssl", "passfile", "target_session_attrs"}


class ConfigurationError(ValueError):
    """The database address, or the database itself, cannot be used. The message never contains a password."""


def parse_database_url(database_url: str) -> sa.URL:
    """`sqlite:///file.db` or `postgresql://user:password@host/name` as a URL with the driver we use.

    Raises ConfigurationError for anything else, and for SQLite in memory, where each reader would see its own
    database."""
    try:
        url = sa.make_url(database_url)
    except (ArgumentError, ValueError):  # ValueError: the port is not a number
        raise ConfigurationError("The database address is not of the form sqlite:///… or postgresql://….") from None
    if url.drivername in _SQLITE:
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise ConfigurationError("The SQLite address needs the path of a file: sqlite:///path/file.db.")
        return url.set(drivername="sqlite+aiosqlite")
    if url.drivername in _POSTGRESQL:
        query = dict(url.query)
        if "sslmode" in query:
            query["ssl"] = query.pop("sslmode")
        for name in query.keys() - _POSTGRESQL_OPTIONS:
            raise ConfigurationError(f"The database address has an option {name!r} that there is no support for.")
        for port in (url.port, *_ports(query.get("port", ()))):
            if port is not None and not 0 < port <= LARGEST_PORT:
                raise ConfigurationError(f"The port of the database address has to be 1 to {LARGEST_PORT}.")
        return url.set(drivername="postgresql+asyncpg", query=query)
    raise ConfigurationError(f"There is no support for {url.drivername!r} databases, only sqlite and postgresql.")


def _ports(text: str | Sequence[str]) -> list[int]:
    """The ports in the address's options; 0 for a port that is not a number."""
    texts = [text] if isinstance(text, str) else text
    return [int(port) if port.isascii() and port.isdigit() else 0 for port in texts]


@contextmanager
def plain_failures(path: str) -> Iterator[None]:
    """Turn SQLite's error about an unusable file into a ConfigurationError that gives the reason."""
    try:
        yield
    except sqlite3.Error as error:
        raise ConfigurationError(f"The SQLite file {path} cannot be used: {_reason(path, error)}.") from None


def _reason(path: str, error: sqlite3.Error) -> str:
    file = Path(path)
    if file.is_dir():
        return "it is a folder"
    if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
        return "it is not an SQLite database"
    if file.exists() and not os.access(file, os.R_OK):
        return "this user may not read it"
    if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY or not os.access(file.absolute().parent, os.W_OK):
        return "this user needs to write to it and to its folder"
    return str(error)


def is_interrupted(error: sqlite3.Error) -> bool:
    """Whether the statement was given up by the progress handler of its connection."""
    # Not every error has a code: those of the module itself have none.
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT


def connect_sqlite(
    path: str, *, read_only: bool = False, foreign_keys: bool = True, waits: bool = True
) -> sqlite3.Connection:
    """A connection with manual transaction control. One that does not wait for locks fails at once.

    Raises ConfigurationError when the file cannot be used, or when its folder does not exist."""
    if not Path(path).absolute().parent.is_dir():
        raise ConfigurationError(f"The folder of the SQLite file {path} does not exist.")
    with plain_failures(path):
        connection = sqlite3.connect(
            f"{Path(path).absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS_KEPT,
            timeout=BUSY_TIMEOUT_MS / 1_000 if waits else 0.0,
        )
        try:
            _prepare(connection, read_only, foreign_keys)
        except BaseException:
            connection.close()
            raise
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log. SQLite refuses to switch, without waiting, while another process writes."""
    last_try = monotonic() + BUSY_TIMEOUT_MS / 1_000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > last_try:
                raise
        sleep(_PAUSE_SECONDS)


def _prepare(connection: sqlite3.Connection, read_only: bool, foreign_keys: bool) -> None:
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    else:
        _use_wal(connection)
        # NORMAL survives a killed process but not a power cut. An acknowledged command must survive both.
        connection.execute("PRAGMA synchronous = FULL")
        # Deleted content is overwritten with zeros, in rows and in freed pages.
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")


def sqlite_engine(connection: sqlite3.Connection) -> sa.Engine:
    """A synchronous engine over this one connection, for the thread that owns the connection."""
    return sa.create_engine(
        "sqlite+pysqlite://", creator=lambda: connection, poolclass=StaticPool, hide_parameters=True
    )


class WriterThread(aiosqlite.Connection):
    """SQLite's only writing connection. Its own thread runs one function after another on it."""

    def __init__(self, path: str) -> None:
        super().__init__(lambda: connect_sqlite(path), iter_chunk_size=64)

    @classmethod
    async def start(cls, path: str) -> "WriterThread":
        thread = cls(path)
        try:
            _ = await thread
        except BaseException:
            # The thread is ending, and its last message must still reach the loop.
            await asyncio.to_thread(thread._thread.join)
            raise
        return thread

    def run(self, f: Callable[[], T]) -> "asyncio.Future[T]":
        """Queue `f` for the thread. Returns a future of the running loop."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((future, f))
        return future

    def engine(self) -> sa.Engine:
        """A synchronous engine over the connection, for use inside the thread only."""
        return sqlite_engine(self._conn)


def asyncpg_arguments(url: sa.URL, **limits: timedelta) -> dict[str, Any]:
    """The arguments of asyncpg's `connect` for a URL of `parse_database_url`. `settings` are PostgreSQL limits by
    name."""
    _, arguments = url.get_dialect()().create_connect_args(url)
    return {**arguments, "server_settings": _server_settings(**limits)}


def _server_settings(**limits: timedelta) -> dict[str, str]:
    named = {name: f"{max(1, limit // timedelta(milliseconds=1))}ms" for name, limit in limits.items()}
    return {"application_name": "switchboard", "jit": "off", **(_KEEPALIVE if limits else {}), **named}


def _set_types(connection: Any) -> None:
    take_json_as_text(connection)
    know_arrays(connection)


def postgresql_engine(url: sa.URL, settings: Settings, liveness: Liveness) -> AsyncEngine:
    """The engine of commands, with READ COMMITTED: locks order the writers, not the isolation level.

    A statement outside a transaction commits by itself. `UnitConnection` begins and ends transactions. A command fails
    when it waits for a lock longer than `lock_timeout`."""
    engine = create_async_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=LONGEST_WAIT,
        pool_use_lifo=True,
        hide_parameters=True,  # errors are logged, and the parameters contain what customers wrote
        json_deserializer=str,  # our own column types decode JSON, or pass the text on
        connect_args={
            "async_creator_fn": liveness.connect,
            # The first is SQLAlchemy's cache, the second the driver's, for what runs without SQLAlchemy.
            "prepared_statement_cache_size": STATEMENTS_KEPT,
            "statement_cache_size": STATEMENTS_KEPT,
            "max_cached_statement_lifetime": 0,
            "server_settings": _server_settings(
                statement_timeout=settings.command_timeout,
                # Releases the locks of a lost connection when the server does not know that it is lost.
                idle_in_transaction_session_timeout=settings.command_timeout,
                lock_timeout=settings.lock_timeout,
            )
            | {"default_transaction_isolation": "read committed"},
        },
    )
    # After SQLAlchemy's dialect, because the dialect sets codecs.
    sa.event.listen(engine.sync_engine, "connect", lambda opened, _: _set_types(opened.driver_connection))
    return engine
