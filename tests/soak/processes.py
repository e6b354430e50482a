"""Real server processes, which can be killed and come back at the same port, and the databases that they share."""

import asyncio
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import asyncpg
import orjson
import sqlalchemy as sa

from app.storage.engines import asyncpg_arguments, parse_database_url
from tests.command_line import start
from tests.postgres import empty_database, running_server

ROOT = Path(__file__).parents[2]
KEY = "the key of a run that lasts"
"""The admin's key on every server of a run."""

_ERROR = re.compile(r"[A-Za-z_][\w.]*: ")
_ADDRESS = re.compile(rb":(\d+)/graphql")
_STARTS_WITHIN = 60.0
_STOPS_WITHIN = 15.0


class Process:
    """A server over a database that others may share. It loads the demo when it finds an empty one."""

    port = 0
    """Where it listens: a free one at its first start, and the same at every later one."""

    def __init__(self, name: int | str, database_url: str, folder: Path, settings: Mapping[str, str]) -> None:
        self.log = folder / f"server-{name}.log"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHBOARD_")}
        self._settings = {
            **inherited,
            "PYTHONPATH": str(ROOT),
            "SWITCHBOARD_DATABASE_URL": database_url,
            "SWITCHBOARD_BOOTSTRAP_KEY": KEY,
            "SWITCHBOARD_DEMO": "true",
            "SWITCHBOARD_LOG_LEVEL": "warning",
            "SWITCHBOARD_LOG_FORMAT": "json",
            # Three of them stay under what PostgreSQL lets in.
            "SWITCHBOARD_POOL_SIZE": "8",
            **settings,
        }
        self._folder = folder
        self._said = folder / f"server-{name}.said"
        self._running: BaseProcess | None = None

    async def start(self) -> None:
        """Serve. Raises RuntimeError, with the end of its log, when it does not come up."""
        arguments = ("serve", "--port", str(self.port))
        self._said.unlink(missing_ok=True)
        self.log.touch()
        running = await asyncio.to_thread(start, arguments, self._settings, self._folder, (self._said, self.log))
        self._running = running
        async with asyncio.timeout(_STARTS_WITHIN):
            # What it says when it listens.
            while (said := self._address()) is None:
                if not running.is_alive():
                    raise RuntimeError(f"A server did not start:\n{self.log.read_text(encoding='utf-8')[-2_000:]}")
                await asyncio.sleep(0.02)
        self.port = int(said[1])

    def _address(self) -> re.Match[bytes] | None:
        return _ADDRESS.search(self._said.read_bytes()) if self._said.exists() else None

    @property
    def pid(self) -> int:
        """The number of the process, while it runs."""
        assert self._running is not None
        assert self._running.pid is not None
        return self._running.pid

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended, by itself or by us."""
        return self._running is not None and self._running.is_alive()

    async def kill(self) -> None:
        """As a power cut would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> bool:
        """As whoever operates it would; False when it did not stop and was killed."""
        return await self._end(signal.SIGTERM)

    async def _end(self, with_signal: int) -> bool:
        running, self._running = self._running, None
        if running is None or not running.is_alive():
            return True
        assert running.pid is not None
        os.kill(running.pid, with_signal)
        await asyncio.to_thread(running.join, _STOPS_WITHIN)
        if running.is_alive():
            running.kill()
            await asyncio.to_thread(running.join)
            return False
        return True

    def failures(self) -> list[str]:
        """What it logged that nobody thought of: each exception with the place in our code that it came from."""
        found = []
        for line in self.log.read_text(encoding="utf-8").splitlines():
            entry = orjson.loads(line) if line.startswith("{") else {}
            if text := entry.get("exception"):
                place = [row.strip() for row in text.splitlines() if "/app/" in row]
                error = [row for row in text.splitlines() if _ERROR.match(row)]
                found.append(f"{self.log.name}: {entry['event'].strip()}: {error[-1:]} {place[-1:]}")
        return found


@asynccontextmanager
async def processes(
    count: int, database_url: str, folder: Path, settings: Mapping[str, str] | None = None
) -> AsyncIterator[list[Process]]:
    """So many servers over one database, until the block ends."""
    made = [Process(number, database_url, folder, settings or {}) for number in range(count)]
    try:
        # The first one prepares the database alone.
        await made[0].start()
        await asyncio.gather(*(each.start() for each in made[1:]))
        yield made
    finally:
        await asyncio.gather(*(each.stop() for each in made))


@contextmanager
def fresh_database(backend: str) -> Iterator[tuple[str, Path]]:
    """The address of an empty database of a run, `sqlite` or `postgresql`, and a folder for what else it leaves."""
    with tempfile.TemporaryDirectory(prefix="switchboard-soak-") as name:
        if backend == "sqlite":
            yield f"sqlite:///{name}/switchboard.db", Path(name)
            return
        with running_server() as server, empty_database(server) as url:
            yield url, Path(name)


@asynccontextmanager
async def idle_transaction(database_url: str) -> AsyncIterator[None]:
    """A transaction that has written, in another database of the same server, and does nothing more."""
    elsewhere = sa.make_url(database_url).set(database="postgres").render_as_string(hide_password=False)
    connection = await asyncpg.connect(**asyncpg_arguments(parse_database_url(elsewhere)))
    try:
        await connection.execute("BEGIN")
        await connection.execute("SELECT pg_current_xact_id()")
        yield
    finally:
        await connection.close()
