"""Statements that are new of a caller, on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.core.clock import Clock
from app.core.errors import Unavailable
from app.core.fairness import SERVER, Caller
from app.core.ids import Ids
from app.settings import Settings
from app.storage import postgresql_plans, read_queue, trials
from app.storage.database import Database, Query, Row, open_database
from app.storage.trials import Trials
from tests.serving import PATIENCE, eventually

pytestmark = pytest.mark.anyio
on_postgresql = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)

NEVER, NOW = 600.0, 0.0
_RUNNING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE $1"
)


class Reads:
    """Reads of callers, each by statements that take as long as is said."""

    def __init__(self, database: Database, executed: list[str]) -> None:
        self.database = database
        self.executed = executed

    async def read(self, caller: Caller, *names: str, seconds: float = NOW) -> None:
        """Read by a statement for each name. The last of them takes so many seconds."""

        def steps() -> Generator[Query, Sequence[Row], None]:
            for name in names[:-1]:
                yield Query(_statement(name), (NOW,))
            yield Query(_statement(names[-1]), (seconds,))

        await self.database.plan(steps, snapshot=False, caller=caller)

    async def running(self, names: str) -> int:
        """How many statements run whose names begin so."""

        def steps() -> Generator[Query, Sequence[Row], int]:
            rows = yield Query(_RUNNING, (f"SELECT '{names}%",))
            return int(rows[0][0])

        return await self.database.plan(steps, snapshot=False, caller=SERVER)

    async def come_to_run(self, names: str, count: int) -> None:
        """Wait until so many run, and see that no more do."""
        for _ in range(int(PATIENCE / 0.01)):
            if await self.running(names) == count:
                break
            await asyncio.sleep(0.01)
        for _ in range(5):
            await asyncio.sleep(0.01)
            assert await self.running(names) == count

    @asynccontextmanager
    async def reading(self, caller: Caller, *reads: Sequence[str]) -> "AsyncIterator[list[asyncio.Task[None]]]":
        """Reads by these statements, whose last ones never end, until the block does."""
        tasks = [asyncio.create_task(self.read(caller, *names, seconds=NEVER)) for names in reads]
        try:
            yield tasks
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _statement(name: str) -> str:
    return f"SELECT '{name}' FROM pg_sleep($1)"


@pytest.fixture
async def reads(database_url: str, clock: Clock, ids: Ids) -> AsyncIterator[Reads]:
    executed: list[str] = []
    settings = Settings(pool_size=16)
    database = await open_database(database_url, clock=clock, ids=ids, settings=settings, observer=executed.append)
    yield Reads(database, executed)
    await database.close()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No read becomes long by the time it takes."""
    monkeypatch.setattr(postgresql_plans, "SHORT_SECONDS", NEVER)


@on_postgresql
@pytest.mark.usefixtures("patient")
async def test_new_statements_of_a_caller_run_two_at_a_time_beside_others(reads: Reads) -> None:
    async with reads.reading(2, ["other"]):
        await reads.come_to_run("other", 1)
        async with reads.reading(1, *([f"new {number}"] for number in range(6))) as tasks:
            await reads.come_to_run("new", 2)
            await reads.read(3, "of somebody else")
            for task in tasks[:2]:
                task.cancel()
            await reads.come_to_run("new 0", 0)
            await reads.come_to_run("new 1", 0)
            await reads.come_to_run("new", 2)
        for number in range(4):
            await reads.read(1, f"next {number}")


@on_postgresql
@pytest.mark.usefixtures("patient")
async def test_new_statement_that_has_waited_too_long_is_refused(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    async with reads.reading(2, ["other"]):
        await reads.come_to_run("other", 1)
        async with reads.reading(1, ["new 0"], ["new 1"]) as tasks:
            await reads.come_to_run("new", 2)
            monkeypatch.setattr(read_queue, "LONGEST_WAIT", 0.0)
            waiting = asyncio.create_task(reads.read(1, "new 2"))
            await eventually(lambda: reads.database._plans.waiting == 1)
            tasks[0].cancel()
            with pytest.raises(Unavailable):
                await waiting


@on_postgresql
@pytest.mark.usefixtures("patient")
async def test_new_statement_whose_read_leaves_before_it_has_a_connection_passes_its_turn_on(reads: Reads) -> None:
    plans: Any = reads.database._plans
    await reads.read(1, "known")
    async with reads.reading(2, ["other"]), reads.reading(1, ["new 0"], ["new 1"]) as tasks:
        await reads.come_to_run("other", 1)
        await reads.come_to_run("new", 2)
        async with reads.reading(1, ["new 2"]) as (leaving,):
            await eventually(lambda: plans.waiting == 1)
            # All connections of the caller are in use, so the turn of the one that ends comes without its connection.
            async with reads.reading(1, *[["known"]] * 7):
                await reads.come_to_run("known", 6)
                tasks[0].cancel()
                await reads.come_to_run("known", 7)
                assert (plans._trials.waiting, plans._queue.waiting) == (0, 1)
                leaving.cancel()
                await asyncio.wait([leaving])
                assert plans._queue.waiting == 0
        async with reads.reading(1, ["new 3"]):
            await reads.come_to_run("new", 2)
            assert plans._trials.waiting == 0


@on_postgresql
@pytest.mark.usefixtures("patient")
async def test_new_statements_of_a_caller_run_together_while_it_is_alone(reads: Reads) -> None:
    async with reads.reading(1, *([f"new {number}"] for number in range(6))):
        await reads.come_to_run("new", 6)


@on_postgresql
@pytest.mark.usefixtures("patient")
async def test_statements_that_were_short_before_run_together_for_the_same_caller(reads: Reads) -> None:
    await reads.read(1, "known")
    async with reads.reading(2, ["other"]):
        await reads.come_to_run("other", 1)
        async with reads.reading(1, *[["known"]] * 6):
            await reads.come_to_run("known", 6)
        async with reads.reading(3, *[["known"]] * 6):
            await reads.come_to_run("known", 2)


@on_postgresql
@pytest.mark.usefixtures("patient")
async def test_new_statements_behind_known_ones_wait_as_well(reads: Reads) -> None:
    await reads.read(1, "known")
    async with reads.reading(2, ["other"]):
        await reads.come_to_run("other", 1)
        async with reads.reading(1, *(["known", f"new {number}"] for number in range(6))):
            await reads.come_to_run("new", 2)
            await reads.read(1, "known")


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read becomes long soon."""
    monkeypatch.setattr(postgresql_plans, "SHORT_SECONDS", 0.05)


@on_postgresql
@pytest.mark.usefixtures("hasty")
async def test_new_statement_that_took_long_is_not_begun_by_those_that_waited(reads: Reads) -> None:
    await reads.read(1, "slow", seconds=0.2)  # to its end, since nobody else is there, but not in a short time
    async with reads.reading(2, ["other"]):
        await eventually(lambda: _statement("other") in reads.executed)
        await asyncio.gather(*(reads.read(1, "slow", seconds=0.2) for _ in range(6)))
    # Two begin and are stopped; then each runs among the long ones, one after the other.
    assert 7 < reads.executed.count(_statement("slow")) <= 9


async def test_known_statements_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "_MOST_KNOWN", 2)
    these = Trials(16, 1)
    for sql in ("SELECT 1", "SELECT 2", "SELECT 3"):
        these.learn(1, sql)
    assert [hash((1, sql)) in these.known for sql in ("SELECT 1", "SELECT 2", "SELECT 3")] == [False, True, True]
