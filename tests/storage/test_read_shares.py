"""The shares of callers in the readers of a real database."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from threading import Event, current_thread
from time import sleep

import psutil
import pytest

from app.core.clock import Clock
from app.core.errors import Timeout
from app.core.fairness import SERVER, Caller
from app.core.ids import Ids
from app.core.short_turns import SHORT_TURN
from app.settings import Settings
from app.storage import postgresql_plans, sqlite_plans
from app.storage.database import Database, Query, Row, open_database
from app.storage.sqlite_program import NICENESS
from tests.serving import PATIENCE, eventually

pytestmark = pytest.mark.anyio

_COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n{end}) SELECT count(*) FROM n"
ENDLESS = {"sqlite": _COUNT.format(end=""), "postgresql": "SELECT pg_sleep(600)"}
SLOW = {"sqlite": _COUNT.format(end=" WHERE i < 300000"), "postgresql": "SELECT 300000 FROM pg_sleep(0.1)"}


def steps(sql: str) -> Generator[Query, Sequence[Row], int]:
    rows = yield Query(sql)
    return int(rows[0][0])


def plan(database: Database, caller: Caller, sql: str = "SELECT 7") -> "asyncio.Task[int]":
    return asyncio.create_task(database.plan(partial(steps, sql), snapshot=True, caller=caller))


@asynccontextmanager
async def flooded(database: Database, caller: Caller, plans: int = 12) -> AsyncIterator[list["asyncio.Task[int]"]]:
    """A caller has plans without an end, more than there are readers; at the end it leaves."""
    tasks = [plan(database, caller, ENDLESS[database.dialect.name]) for _ in range(plans)]
    await asyncio.sleep(0)
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(end) for end in ends} == {asyncio.CancelledError}


@pytest.fixture
def settings() -> Settings:
    return Settings(pool_size=8, reader_threads=4)


async def test_reads_of_others_are_answered_while_callers_flood(database: Database) -> None:
    async with flooded(database, 1), flooded(database, 2), flooded(database, 3):
        for _ in range(5):
            assert await asyncio.gather(*(plan(database, caller) for caller in (4, 5, SERVER))) == [7, 7, 7]


async def test_reads_of_callers_together_have_threads_take_short_turns(database: Database) -> None:
    usual = sys.getswitchinterval()
    assert usual > SHORT_TURN
    for caller in (1, SERVER, 1):
        await plan(database, caller)
        assert sys.getswitchinterval() == usual
    await plan(database, 2)
    # PostgreSQL's readers are no threads.
    is_short = database.dialect.name == "sqlite"
    assert (sys.getswitchinterval() == pytest.approx(SHORT_TURN)) is is_short
    await eventually(lambda: sys.getswitchinterval() == usual)


async def test_reads_whose_callers_left_are_stopped_and_taken_out(database: Database) -> None:
    plans = database._plans
    async with flooded(database, 1) as tasks:
        running = 2 if database.dialect.name == "sqlite" else 4  # half of the readers
        # PostgreSQL's connections are opened one after the other.
        await eventually(lambda: plans.waiting == 12 - running)
        tasks[-1].cancel()
        await asyncio.gather(tasks[-1], return_exceptions=True)
        assert plans.waiting == 11 - running
        assert await plan(database, 2) == 7
    assert plans.waiting == 0
    assert await asyncio.gather(*(plan(database, 1) for _ in range(12))) == [7] * 12


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_readers_that_are_held_by_one_caller_are_half_of_them(database: Database) -> None:
    """Held by no statement, but by what is made of its rows, which nothing interrupts."""
    released, started = Event(), Counter[str]()

    def held() -> Generator[Query, Sequence[Row], int]:
        yield Query("SELECT 1")
        started["held"] += 1
        released.wait(PATIENCE)
        return 1

    holding = [asyncio.create_task(database.plan(held, snapshot=False, caller=1)) for _ in range(8)]
    try:
        for _ in range(3):
            assert [await plan(database, caller) for caller in (2, SERVER)] == [7, 7]
        assert started["held"] <= 2
    finally:
        released.set()
    assert await asyncio.gather(*holding) == [1] * 8


async def test_a_read_that_takes_long_runs_on_while_its_caller_is_alone(
    database_url: str, clock: Clock, ids: Ids, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_plans, "SHORT_SECONDS", 0.0)
    monkeypatch.setattr(postgresql_plans, "SHORT_SECONDS", 0.01)
    executed: list[str] = []
    database = await open_database(database_url, clock=clock, ids=ids, settings=settings, observer=executed.append)
    slow = SLOW[database.dialect.name]
    try:
        assert await asyncio.gather(*(plan(database, 1, slow) for _ in range(3))) == [300_000] * 3
        assert executed == [slow] * 3
    finally:
        await database.close()


async def test_a_read_that_takes_long_starts_again_among_the_long_ones_once(
    database_url: str, clock: Clock, ids: Ids, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_plans, "SHORT_SECONDS", 0.0)
    monkeypatch.setattr(postgresql_plans, "SHORT_SECONDS", 0.05)
    executed: list[str] = []
    begun, loop = asyncio.Event(), asyncio.get_running_loop()

    def observe(sql: str) -> None:
        executed.append(sql)
        loop.call_soon_threadsafe(begun.set)

    database = await open_database(database_url, clock=clock, ids=ids, settings=settings, observer=observe)
    slow = SLOW[database.dialect.name]
    try:
        async with flooded(database, 3, plans=1):
            await begun.wait()
            assert await plan(database, 1, slow) == 300_000
            assert executed.count(slow) == 2
            # It is remembered for this caller, and for no other.
            assert await plan(database, 1, slow) == 300_000
            assert executed.count(slow) == 3
            assert await plan(database, 2, slow) == 300_000
            assert executed.count(slow) == 5
    finally:
        await database.close()


async def test_a_read_that_waits_uses_up_none_of_its_time(
    database_url: str, clock: Clock, ids: Ids, settings: Settings
) -> None:
    hasty = settings.model_copy(update={"read_timeout": timedelta(seconds=0.3)})
    database = await open_database(database_url, clock=clock, ids=ids, settings=hasty)
    try:
        # One after another, so that the last ones wait for longer than any of them may run.
        tasks = [plan(database, 1, ENDLESS[database.dialect.name]) for _ in range(4)]
        last = plan(database, 1)
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(end) for end in ends} == {Timeout}
        assert await last == 7
        assert await plan(database, 1) == 7
    finally:
        await database.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_reads_that_take_long_run_in_processes_that_leave_the_cores_to_others(
    database_url: str, clock: Clock, ids: Ids, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_plans, "SHORT_SECONDS", 0.0)
    here = psutil.Process()
    before = set(here.children())
    database = await open_database(database_url, clock=clock, ids=ids, settings=settings)
    try:
        for _ in range(2):
            async with flooded(database, 2, plans=1):
                assert await plan(database, 1) == 7
                assert await plan(database, 1, SLOW["sqlite"]) == 300_000
            started = [child for child in here.children() if child not in before]
            assert len(started) == 2  # one for each of the callers
            assert {child.nice() for child in started} == {min(here.nice() + NICENESS, 19)}
            # Whatever ends them, the next reads have others.
            for child in started:
                child.kill()
                child.wait(PATIENCE)
        async with flooded(database, 2, plans=1):
            assert await plan(database, 1, SLOW["sqlite"]) == 300_000
    finally:
        await database.close()
    assert set(here.children()) <= before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_long_read_that_uses_little_of_a_core_is_short_the_next_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it took: beside others each wait for the interpreter adds to its time."""
    monkeypatch.setattr(sqlite_plans, "_WAITS_IN_IT", 1)
    begun: list[str] = []

    def waiting() -> Generator[Query, Sequence[Row], int]:
        yield Query("SELECT 1")
        begun.append(current_thread().name.rpartition("-")[0])
        sleep(2 * sqlite_plans.SHORT_SECONDS)
        yield Query("SELECT 2")
        return 7

    async with flooded(database, 2, plans=1):
        for _ in range(3):
            assert await database.plan(waiting, snapshot=False, caller=1) == 7
    assert begun == ["sqlite-reader", "sqlite-long-reader"] * 3
