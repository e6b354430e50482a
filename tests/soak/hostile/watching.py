"""A server with an innocent caller beside it, watched from outside."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import psutil

from app.storage.engines import asyncpg_arguments, parse_database_url
from tests.soak.hostile.innocent import Errand
from tests.soak.hostile.measures import Measures
from tests.soak.hostile.target import Target
from tests.soak.hostile.wire import BROKEN, Line, request
from tests.soak.processes import ROOT, Process

STARTS_WITHIN = 60.0
"""Seconds within which a helper has begun."""

_LOOK_EVERY = 0.1
_SETTLES_WITHIN = 10.0
_ANSWERS_LATE = 15.0
_ENDS_WITHIN = 15.0
_TOLERATED_FILES = 8
"""Two, and two for each connection to SQLite that is opened when it is first needed: of two long readers, and of what
moves the log. An attack that leaks files leaks hundreds."""
_OTHERS = """SELECT count(*) FROM pg_stat_activity
  WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""
MEGABYTE = 2**20


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds: bytes of memory, open files, and connections to its database, which are none of the files.

    How many of those a pool has opened depends on how many were needed at once; it keeps them."""

    memory: int
    files: int
    connections: int

    def is_back_at(self, before: "Held", tolerated_memory: int) -> bool:
        return self.memory - before.memory <= tolerated_memory and self.files - before.files <= _TOLERATED_FILES


class Watched:
    """A running server."""

    def __init__(self, process: Process, database_url: str) -> None:
        self.process = process
        self._database_url = database_url
        self.peak = 0
        self._seen = psutil.Process(process.pid)
        self._logged = process.log.stat().st_size

    async def held(self) -> Held:
        """What it holds now. Raises psutil.NoSuchProcess when it has died."""
        connections = await connections_to(self._database_url)
        return Held(self.memory(), self._seen.num_fds() - connections, connections)

    def memory(self) -> int:
        """Bytes of memory that it holds now. Raises psutil.NoSuchProcess when it has died."""
        memory: int = self._seen.memory_info().rss
        self.peak = max(self.peak, memory)
        return memory

    @property
    def logged(self) -> int:
        """Bytes that it has written to its log since this watch began."""
        return self.process.log.stat().st_size - self._logged

    def waited(self) -> float:
        """Seconds so far in which its loop could have run and had no core; 0 where the system does not tell."""
        try:
            _, waited, _ = Path(f"/proc/{self._seen.pid}/schedstat").read_text(encoding="ascii").split()
        except OSError:
            return 0.0
        return int(waited) / 1e9

    async def sample(self) -> None:
        """Look at what it holds again and again, for the peak, until cancelled."""
        while True:
            self.memory()
            await asyncio.sleep(_LOOK_EVERY)

    async def settled(self, before: Held, tolerated_memory: int) -> Held | None:
        """What it holds once it holds no more than before, or after a while; None when it answers nobody."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _SETTLES_WITHIN
        while not await answers(self.process.port):
            if loop.time() > until:
                return None
        held = await self.held()
        while not held.is_back_at(before, tolerated_memory) and loop.time() < until:
            await asyncio.sleep(_LOOK_EVERY)
            held = await self.held()
        return held


async def connections_to(database_url: str) -> int:
    """How many connections a database of PostgreSQL has; none to a file."""
    url = parse_database_url(database_url)
    if url.get_backend_name() != "postgresql":
        return 0
    connection = await asyncpg.connect(**asyncpg_arguments(url))
    try:
        found: int = await connection.fetchval(_OTHERS)
    finally:
        await connection.close()
    return found


async def answers(port: int) -> bool:
    """Whether the server answers within a second."""
    line = Line(port, 1.0)
    try:
        return (await line.ask(request("GET", "/healthz"))).status == 200
    except BROKEN:
        return False
    finally:
        line.close()


class Innocent:
    """The innocent caller's process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def measure(self, seconds: float) -> Measures:
        """What it measures in so many seconds. Raises EOFError when its process has failed."""
        found = await talk(self._process, orjson.dumps(seconds), seconds + _ANSWERS_LATE)
        return Measures.parse(found)


@asynccontextmanager
async def innocent(errand: Errand) -> AsyncIterator[Innocent]:
    """An innocent caller until the block ends."""
    async with helper(["tests.soak.hostile.innocent"]) as process:
        say(process, orjson.dumps(errand))
        await heard(process, STARTS_WITHIN)
        yield Innocent(process)


class Attacking:
    """An attacker's process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def end(self) -> dict[str, Any]:
        """End the attack; its tally, and how it has `failed` if it has."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        found: dict[str, Any] = orjson.loads(await heard(self._process, _ENDS_WITHIN))
        return found


@asynccontextmanager
async def attacker(name: str, target: Target) -> AsyncIterator[Attacking]:
    """An attack by its name, until the block ends."""
    async with helper(["tests.soak.hostile.attacker", name]) as process:
        say(process, orjson.dumps(target))
        await heard(process, STARTS_WITHIN)
        yield Attacking(process)


@asynccontextmanager
async def helper(arguments: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A module of ours in a process of its own, which is ended with the block."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, cwd=ROOT, stdin=pipe, stdout=pipe, limit=16 * MEGABYTE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def say(process: asyncio.subprocess.Process, line: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(line + b"\n")


async def heard(process: asyncio.subprocess.Process, within: float) -> bytes:
    """The next line of a helper. Raises EOFError when it has ended, TimeoutError when nothing comes."""
    assert process.stdout is not None
    async with asyncio.timeout(within):
        line = await process.stdout.readline()
    if not line:
        raise EOFError("a helper of the run has failed")
    return line


async def talk(process: asyncio.subprocess.Process, line: bytes, within: float) -> Any:
    """Say a line, and read the JSON of the answer."""
    say(process, line)
    return orjson.loads(await heard(process, within))
