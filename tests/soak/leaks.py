"""Thousands of clients that come and go in every way leave nothing behind in the server."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import psutil

from app.asgi import create_app
from app.core.clock import utc_now
from app.core.ids import TimeOrderedIds
from app.core.logs import configure_logs
from app.demo.loading import load
from app.directory.service import bootstrap
from app.registry import KINDS
from app.settings import Settings
from app.storage.database import open_database
from app.storage.migrations import migrate
from tests.serving import Served, serving
from tests.soak.processes import KEY, ROOT
from tests.soak.traffic import Outcome

TOLERATED_BYTES = 8 * 2**20
"""How much more memory there may be afterwards: what the allocator keeps in pieces, under a kilobyte a connection."""

_WARMING_UP = 1_000
_STAYING = 120
_SECONDS_A_CONNECTION = 0.05
_SETTLES_WITHIN = 90.0


@dataclass(frozen=True)
class Held:
    """What a server holds: open files, tasks of its loop, connections, subscriptions, and bytes of memory."""

    files: int
    tasks: int
    connections: int
    subscriptions: int
    memory: int

    def __str__(self) -> str:
        return (
            f"{self.files} open files, {self.tasks} tasks, {self.connections} connections, "
            f"{self.subscriptions} subscriptions, {self.memory / 2**20:.1f} MB"
        )

    def is_back_at(self, before: "Held") -> bool:
        return (
            self.files <= before.files
            and self.tasks <= before.tasks
            and self.connections <= before.connections
            and self.subscriptions <= before.subscriptions
            and self.memory - before.memory <= TOLERATED_BYTES
        )


_NOBODY = Held(files=10**6, tasks=10**6, connections=0, subscriptions=0, memory=2**60)


async def run(database_url: str, _folder: Path, *, connections: int) -> Outcome:
    """Let so many clients come and go. The server runs here, and nothing else: they come from another process."""
    # Here it is no news that a client breaks the protocol.
    configure_logs("error", "console")
    settings = Settings(database_url=database_url, pool_size=8)
    await _prepare(database_url, settings)
    async with serving(create_app(settings), settings) as served:
        _, before = await _visited(served, _WARMING_UP, _NOBODY)
        failed, after = await _visited(served, connections, before)
    summary = f"{connections:,} connections, {_STAYING} of them never ended; before {before}; after {after}"
    faults = [] if after.is_back_at(before) else ["more is held than before"]
    faults += [f"{len(failed)} clients were not served, such as {failed[0]}"] if failed else []
    return Outcome(summary, faults)


async def held_by(served: Served) -> Held:
    """Measure a server that runs in this process."""
    gc.collect()
    process = psutil.Process()
    return Held(
        files=process.num_fds(),
        tasks=await served.tasks(),
        connections=len(served.server.server_state.connections),
        subscriptions=served.running,
        memory=process.memory_info().rss,
    )


async def _visited(served: Served, connections: int, before: Held) -> tuple[list[str], Held]:
    """Who was not served, and what is held when those are gone who went, and those were ended who did not."""
    async with _rude_clients(served.port, connections) as process:
        assert process.stdout is not None
        async with asyncio.timeout(60 + connections * _SECONDS_A_CONNECTION):
            failed: list[str] = orjson.loads(await process.stdout.readline())
        for _ in range(int(_SETTLES_WITHIN)):
            after = await held_by(served)
            if after.is_back_at(before):
                break
            await asyncio.sleep(1)
    return failed, after


@asynccontextmanager
async def _rude_clients(port: int, connections: int) -> AsyncIterator[asyncio.subprocess.Process]:
    arguments = ("-m", "tests.soak.rude", str(port), str(connections), str(_STAYING))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def _prepare(database_url: str, settings: Settings) -> None:
    await migrate(database_url)
    rules = {kind.rules.name: kind.rules for kind in KINDS}
    database = await open_database(database_url, clock=utc_now, ids=TimeOrderedIds(), settings=settings, kinds=rules)
    try:
        await database.command(bootstrap, KEY)
        await load(database)
    finally:
        await database.close()
