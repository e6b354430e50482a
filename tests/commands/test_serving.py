"""Several server processes behind one port: replaced when they die, ended with their supervisor."""

import asyncio
import os
import re
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil
import pytest
import uvicorn
from uvicorn.supervisors import multiprocess

from app.commands.serving import _tell_that_they_serve
from app.commands.worker import _end_with
from tests.command_line import FORKED, ROOT, CommandLine
from tests.serving import PATIENCE, eventually

pytestmark = pytest.mark.anyio

KEY = "the key of the workers"

PAUSE = 0.2
"""Seconds between two looks at all processes of the machine."""


@dataclass
class Workers:
    """A supervisor, and where its workers serve."""

    process: asyncio.subprocess.Process
    url: str

    @property
    def pids(self) -> set[int]:
        """The workers; Python's tracker of resources is none."""
        children = psutil.Process(self.process.pid).children()
        return {each.pid for each in children if _runs(each.pid) and "spawn_main" in _line(each)}

    async def ask(self) -> int:
        """The status of a request on a connection of its own."""
        async with httpx2.AsyncClient() as client:
            body = {"query": "query Who { viewer { user { name } } }"}
            answer = await client.post(self.url, json=body, headers={"x-api-key": KEY}, timeout=PATIENCE)
        return answer.status_code

    async def ended(self, pids: set[int]) -> None:
        await eventually(lambda: not any(psutil.pid_exists(pid) and _runs(pid) for pid in pids), PAUSE)


def _line(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return " ".join(map(str, process.cmdline()))
    return ""


def _runs(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


@asynccontextmanager
async def workers(database_url: str, folder: Path) -> AsyncIterator[Workers]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHBOARD_")}
    settings = {
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "SWITCHBOARD_DATABASE_URL": database_url,
        "SWITCHBOARD_BOOTSTRAP_KEY": KEY,
        "SWITCHBOARD_POOL_SIZE": "2",
    }
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", "serve", "--port", "0", "--workers", "2"),
            env={**inherited, **settings},
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        assert process.stdout is not None
        said = b""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                said = await process.stdout.readline()
        found = re.search(rb":(\d+),? ", said)
        assert found is not None, (folder / "log").read_text(encoding="utf-8")
        yield Workers(process, f"http://127.0.0.1:{int(found[1])}/graphql")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_worker_that_is_killed_is_replaced_and_all_are_by_a_signal(database_url: str, tmp_path: Path) -> None:
    async with workers(database_url, tmp_path) as running:
        first = running.pids
        assert len(first) == 2
        assert await running.ask() == 200
        os.kill(next(iter(first)), signal.SIGKILL)
        await eventually(lambda: len(found := running.pids) == 2 and found != first, PAUSE)
        assert [await running.ask() for _ in range(10)] == [200] * 10
        second = running.pids
        # One after the other, so that somebody answers all the time.
        running.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(PATIENCE):
            while running.pids & second:
                assert await running.ask() == 200
                await asyncio.sleep(PAUSE)
        third = running.pids
        assert len(third) == 2
        running.process.send_signal(signal.SIGTERM)
        assert await running.process.wait() == 0
        await running.ended(third)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_workers_end_with_a_supervisor_that_is_killed(database_url: str, tmp_path: Path) -> None:
    async with workers(database_url, tmp_path) as running:
        pids = running.pids
        running.process.kill()
        await running.process.wait()
        await running.ended(pids)


def test_worker_whose_supervisor_died_before_it_looked_ends_too() -> None:
    worker = FORKED.Process(target=_work_without_a_supervisor)
    worker.start()
    worker.join(PATIENCE)
    assert worker.exitcode == -signal.SIGTERM


def _work_without_a_supervisor() -> None:
    _end_with(-1)
    time.sleep(PATIENCE)


def test_workers_that_are_late_keep_the_first_key_from_nobody() -> None:
    never_started = multiprocess.Process(uvicorn.Config("app.asgi:create_app", log_config=None), [])
    told: list[str] = []
    stop = threading.Event()
    _tell_that_they_serve([never_started], stop, lambda: told.append("the key"))
    assert told == ["the key"]
    stop.set()
    _tell_that_they_serve([never_started], stop, lambda: told.append("again"))
    assert told == ["the key"]


def test_workers_on_sqlite_are_refused_with_the_reason(tmp_path: Path) -> None:
    switchboard = CommandLine(tmp_path)
    for done in (switchboard("serve", "--workers", "2"), switchboard("serve", workers="2")):
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("switchboard: Several workers need PostgreSQL: SQLite has one writer")
    assert list(tmp_path.iterdir()) == []
