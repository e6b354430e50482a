"""PostgreSQL for the tests: one server for the run, and databases in their first state at a few milliseconds each."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any
from uuid import uuid4

import asyncpg
import sqlalchemy as sa

from app.storage.database import Database
from app.storage.engines import asyncpg_arguments, parse_database_url
from app.storage.migrations import migrate
from app.storage.postgresql import PostgresqlCommands
from tests.chores import put_chores_off
from tests.keeping import keeper
from tests.postgres_server import temporary_server

EXISTING = "SWITCHBOARD_TEST_POSTGRES_URL"
"""The variable that names a server to use, in place of one that is started."""

_MAKING = 0x7E57
"""The lock of whoever makes or copies a database that the processes of a run share."""
_PATIENCE = 300
"""Seconds that it is waited for."""

# What the migrations put in, with a function that puts it back after a test; and a note of every change of tables from
# then on. Rows that are as they were stay: what is deleted takes its place until the end, and later tests would read
# past it. In a function, because that is planned once, and asked for in one round trip: it ends the sessions of others
# first, but for those that are kept, and does nothing where tables have changed.
_KEEP_SEED = """
CREATE SCHEMA seed;
DO $make$ DECLARE t text; filled boolean; body text := ''; BEGIN
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', t) INTO filled;
    IF NOT filled THEN
      body := body || format('DELETE FROM public.%I;', t);
    ELSE
      EXECUTE format('CREATE TABLE seed.%I AS TABLE public.%I', t, t);
      body := body || format('
        IF EXISTS (TABLE public.%1$I EXCEPT TABLE seed.%1$I) OR EXISTS (TABLE seed.%1$I EXCEPT TABLE public.%1$I) THEN
          DELETE FROM public.%1$I p WHERE p::text NOT IN (SELECT s::text FROM seed.%1$I s);
          INSERT INTO public.%1$I OVERRIDING SYSTEM VALUE
          SELECT s.* FROM seed.%1$I s WHERE s::text NOT IN (SELECT p::text FROM public.%1$I p);
        END IF;', t);
    END IF;
  END LOOP;
  EXECUTE format('CREATE FUNCTION seed.put_back(kept int[]) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL(kept);
    IF EXISTS (SELECT FROM seed.altered) THEN RETURN false; END IF;
    %s
    PERFORM setval(format(''%%I.%%I'', schemaname, sequencename)::regclass, start_value, false)
    FROM pg_sequences WHERE last_value IS NOT NULL;
    RETURN true;
  END $f$', body);
END $make$;
CREATE TABLE seed.altered (at timestamptz);
CREATE FUNCTION seed.note() RETURNS event_trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO seed.altered VALUES (now()); END $$;
CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION seed.note();
CREATE EVENT TRIGGER note_drop ON sql_drop EXECUTE FUNCTION seed.note();
"""
_PUT_BACK = "SELECT seed.put_back($1)"
_AS_REPLICA = {"session_replication_role": "replica"}
"""The setting under which no trigger fires and no foreign key is checked."""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_STRUCTURE = """
SELECT string_agg(concat(relname, attname, format_type(atttypid, atttypmod), attnotnull), ',' ORDER BY relname, attnum)
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') AND attnum > 0 AND NOT attisdropped
"""


@contextmanager
def running_server() -> Iterator[sa.URL]:
    """The server of SWITCHBOARD_TEST_POSTGRES_URL, or one of our own. Raises PostgresqlFailed."""
    existing = os.environ.get(EXISTING)
    if existing:
        yield sa.make_url(existing)
        return
    with temporary_server() as server:
        yield server.url


@contextmanager
def empty_database(server: sa.URL) -> Iterator[str]:
    """The address of a new database without tables."""
    name = f"test_{uuid4().hex}"
    asyncio.run(_run(server, f"CREATE DATABASE {name}"))
    yield _text(server.set(database=name))
    asyncio.run(_run(server, f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def copied_database(database_url: str) -> Iterator[str]:
    """The address of a new database with all that is in another one, which nobody uses meanwhile."""
    given = sa.make_url(database_url)
    server, name = given.set(database="postgres"), f"test_{uuid4().hex}"
    asyncio.run(_run(server, f"CREATE DATABASE {name} TEMPLATE {given.database}"))
    yield _text(given.set(database=name))
    asyncio.run(_run(server, f"DROP DATABASE {name} WITH (FORCE)"))


class Copies:
    """Copies of a migrated database. Making one takes 100 ms, emptying one after a test two: so they are used again.

    Each keeps a connection for that: a new one, whose process knows no table yet, would take 20 ms instead of the two.
    Those connections live in a loop of their own, which runs between the tests."""

    def __init__(self, server: sa.URL, shared: str | None = None) -> None:
        """With the name of a database that all processes of a run make their copies of, where they may share one."""
        self._server = server
        self._shared = shared
        self._template: str | None = None
        """The database that is copied, as migrated."""
        self._made: list[str] = []
        self._free: list[str] = []
        self._structure: Any = None
        self._tables: set[str] = set()
        self._loop = asyncio.new_event_loop()
        self._kept: dict[str, asyncpg.Connection[asyncpg.Record]] = {}

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The address of a database as the migrations left it."""
        name = self._free.pop() if self._free else self._loop.run_until_complete(self._make())
        yield _text(self._server.set(database=name))
        if self._loop.run_until_complete(self._reset(name)):
            self._free.append(name)

    def close(self) -> None:
        """Leave nothing on a server that stays; our own goes with its folder, and each drop takes a checkpoint."""
        self._loop.run_until_complete(self._leave())
        self._loop.close()

    async def _leave(self) -> None:
        for connection in self._kept.values():
            await connection.close()
        if os.environ.get(EXISTING):
            for name in filter(None, (*self._made, self._template)):
                await _run(self._server, f"DROP DATABASE {name} WITH (FORCE)")

    async def _make(self) -> str:
        if self._template is None:
            self._template = await self._migrated()
        name = f"test_{uuid4().hex}"
        await _run(self._server, f"CREATE DATABASE {name} TEMPLATE {self._template}")
        self._made.append(name)
        keeper.add(self._arguments(name))
        return name

    async def _migrated(self) -> str:
        """A new database as the migrations leave it, of which it is known what is in it."""
        name = f"template_{uuid4().hex}"
        if self._shared is None:
            await self._migrate(name)
        else:
            await self._copy_shared(self._shared, name)
        connection = await asyncpg.connect(**self._arguments(name))
        try:
            self._structure = await connection.fetchval(_STRUCTURE)
            self._tables = await _tables(connection)
        finally:
            await connection.close()
        return name

    async def _migrate(self, name: str) -> None:
        await _run(self._server, f"CREATE DATABASE {name}")
        url = self._server.set(database=name)
        await migrate(_text(url))
        await put_chores_off(_text(url))
        await _run(url, _KEEP_SEED)

    async def _copy_shared(self, shared: str, name: str) -> None:
        """Copy what the processes share, which the first of them makes while the others wait: to migrate takes 3 s."""
        alone = await asyncpg.connect(**asyncpg_arguments(parse_database_url(_text(self._server))))
        try:
            await alone.execute(f"SET lock_timeout = '{_PATIENCE}s'; SELECT pg_advisory_lock({_MAKING})")
            if not await alone.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", shared):
                await self._migrate(shared)
            await alone.execute(f"CREATE DATABASE {name} TEMPLATE {shared}")
        finally:
            await alone.close()

    async def _reset(self, name: str) -> bool:
        """Bring the rows back, and drop tables of the test's own.

        False when the test has changed ours, and the database is of no more use."""
        if await self._put_back(name):
            return True
        if await self._restore_structure(self._kept[name], name):
            return await self._put_back(name)
        await self._kept.pop(name).close()
        return False

    async def _put_back(self, name: str) -> bool:
        """End the sessions of others and bring the rows back; False when tables were changed."""
        kept = keeper.processes(self._arguments(name))
        if name in self._kept:
            # A test may have ended it.
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                return bool(await self._kept[name].fetchval(_PUT_BACK, kept))
        arguments = self._arguments(name)
        settings = {**arguments["server_settings"], **_AS_REPLICA}
        self._kept[name] = await asyncpg.connect(**{**arguments, "server_settings": settings})
        return bool(await self._kept[name].fetchval(_PUT_BACK, kept))

    async def _restore_structure(self, connection: "asyncpg.Connection[asyncpg.Record]", name: str) -> bool:
        """Drop the test's own tables; whether ours are as they were."""
        keeper.end(self._arguments(name))  # what is kept knows the tables as the test had them
        own = ", ".join(f'"{table}"' for table in await _tables(connection) - self._tables)
        if own:
            with suppress(asyncpg.DependentObjectsStillExistError):
                await connection.execute(f"DROP TABLE {own}")
        if await connection.fetchval(_STRUCTURE) != self._structure:
            return False
        await connection.execute("DELETE FROM seed.altered")
        return True

    def _arguments(self, name: str) -> dict[str, Any]:
        return asyncpg_arguments(parse_database_url(_text(self._server.set(database=name))))


@asynccontextmanager
async def begun(database_url: str, statement: str) -> AsyncIterator[None]:
    """A transaction of somebody else that has executed the statement, and is committed after the block."""
    connection = await asyncpg.connect(**asyncpg_arguments(parse_database_url(database_url)))
    try:
        async with connection.transaction():
            await connection.execute(statement)
            yield
    finally:
        await connection.close()


@asynccontextmanager
async def round_trips(database: Database) -> AsyncIterator[list[str]]:
    """What the commands and plans of the block ask PostgreSQL for, BEGIN and COMMIT too; nothing on SQLite.

    New texts are prepared first, on each connection once."""
    seen: list[str] = []
    commands = database._commands
    opened = list(commands.liveness._open) if isinstance(commands, PostgresqlCommands) else []

    def told(asked: Any) -> None:
        seen.append(asked.query)

    for connection in opened:
        connection.add_query_logger(told)
    try:
        yield seen
        await asyncio.sleep(0)
    finally:
        for connection in opened:
            connection.remove_query_logger(told)


async def _tables(connection: "asyncpg.Connection[asyncpg.Record]") -> set[str]:
    return {row["tablename"] for row in await connection.fetch(_TABLES)}


async def _run(url: sa.URL, *statements: str) -> None:
    connection = await asyncpg.connect(**asyncpg_arguments(parse_database_url(_text(url))))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _text(url: sa.URL) -> str:
    return url.render_as_string(hide_password=False)
