"""A primary of PostgreSQL with a streaming replica, which tests hold up, stop, promote and make anew."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import sqlalchemy as sa

from app.storage.engines import asyncpg_arguments, parse_database_url
from app.storage.migrations import migrate
from tests.postgres_server import Server, copy_of_server, serving, temporary_folder

_DATABASE = "replicated"

# Acknowledged means flushed here, as the positions of the log have it; to the disk it need not get.
_BOTH = ("fsync=off", "autovacuum=off", "jit=off", "bgwriter_delay=10s", "checkpoint_timeout=1h", "max_connections=60")
_PRIMARY = (*_BOTH, "wal_level=replica", "max_wal_senders=4", "full_page_writes=off")
_REPLICA = (
    *_BOTH,
    "hot_standby_feedback=on",
    "wal_retrieve_retry_interval=100ms",
    "max_wal_senders=4",
    "max_standby_streaming_delay=100ms",
)


class Replicated:
    """The two servers. `url` is the database on the primary, `replica_url` the same on the replica."""

    def __init__(self, primary: Server, folder: Path, programs: Path) -> None:
        self.url = _text(primary.url.set(database=_DATABASE))
        self.replica_url = _text(primary.url.set(database=_DATABASE, query={"host": str(folder)}))
        self._primary = primary
        self._folder = folder
        self._programs = programs
        self._running = ExitStack()
        self._is_whole = False

    def start(self) -> None:
        """Have the replica follow the primary, whatever became of it."""
        if not self._is_whole:
            self.stop()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir()
            copy_of_server(self._primary, self._folder, self._programs)
            self._is_whole = True
        self._running.enter_context(serving(self._folder, _REPLICA, self._programs))

    def stop(self) -> None:
        """End the replica."""
        self._running.close()

    async def promote(self) -> None:
        """Have the replica take changes of its own. The next start is that of another one."""
        self._is_whole = False
        await execute(self.replica_url, "SELECT pg_promote()")

    @asynccontextmanager
    async def held_up(self) -> AsyncIterator[None]:
        """Let the replica replay nothing for as long as the block lasts."""
        await execute(self.replica_url, "SELECT pg_wal_replay_pause()")
        try:
            yield
        finally:
            await execute(self.replica_url, "SELECT pg_wal_replay_resume()")


@contextmanager
def replicated_servers() -> Iterator[Replicated]:
    """Both servers, with a migrated database. Raises PostgresqlFailed."""
    with temporary_folder() as folder, ExitStack() as running:
        folder.chmod(0o755)
        primary_folder, replica_folder = folder / "primary", folder / "replica"
        primary_folder.mkdir()
        primary = running.enter_context(serving(primary_folder, _PRIMARY))
        found = Replicated(primary, replica_folder, primary_folder)
        asyncio.run(_fill(_text(primary.url), found.url))
        running.callback(found.stop)
        found.start()
        yield found


async def execute(url: str, *statements: str) -> Any:
    """What the last of the statements gives."""
    connection = await asyncpg.connect(**asyncpg_arguments(parse_database_url(url)))
    try:
        return [await connection.fetchval(statement) for statement in statements][-1]
    finally:
        await connection.close()


async def _fill(server: str, url: str) -> None:
    await execute(server, f"CREATE DATABASE {_DATABASE}")
    await migrate(url)
    await execute(url, "CREATE TABLE written (id bigint PRIMARY KEY, text text NOT NULL)")


def _text(url: sa.URL) -> str:
    return url.render_as_string(hide_password=False)
