"""Cheap plans run on the loop where the database is a file; what takes long there is stopped."""

import threading
from collections.abc import AsyncIterator, Generator, Sequence

import pytest

from app.core.clock import Clock
from app.core.ids import Ids
from app.settings import Settings
from app.storage import sqlite_plans
from app.storage.cost import LONGEST_ON_LOOP, RUNS_TO_LEARN, Cost
from app.storage.database import Database, Query, Row, open_database

pytestmark = pytest.mark.anyio
of_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT count(*) FROM n"


def steps(sql: str, *args: object) -> Generator[Query, Sequence[Row], int]:
    rows = yield Query(sql, args)
    return int(rows[0][0])


class Counted:
    """A database, with the thread of each statement that it ran."""

    def __init__(self, database: Database, threads: list[int]) -> None:
        self.database = database
        self.threads = threads

    async def run(self, cost: Cost | None, number: int = 1) -> list[bool]:
        """Count to the number; of each statement, whether the loop ran it."""
        self.threads.clear()
        found = await self.database.plan(lambda: steps(LONG, number), snapshot=True, caller=1, cost=cost)
        assert found == number
        return [thread == threading.get_ident() for thread in self.threads]


@pytest.fixture
async def counted(database_url: str, clock: Clock, ids: Ids, settings: Settings) -> AsyncIterator[Counted]:
    threads: list[int] = []

    def observe(_sql: str) -> None:
        threads.append(threading.get_ident())

    database = await open_database(database_url, clock=clock, ids=ids, settings=settings, observer=observe)
    try:
        yield Counted(database, threads)
    finally:
        await database.close()


def cheap() -> Cost:
    cost = Cost()
    for _ in range(RUNS_TO_LEARN):
        cost.ran(0.000_01)
    return cost


def test_cost_of_a_plan_is_learned_before_it_counts_as_cheap() -> None:
    cost = Cost()
    for _ in range(RUNS_TO_LEARN):
        assert not cost.is_cheap
        cost.ran(0.000_01)
    assert cost.is_cheap
    for _ in range(RUNS_TO_LEARN):
        cost.ran(0.001)
    assert not cost.is_cheap
    cost = cheap()
    cost.ran(LONGEST_ON_LOOP * 2)
    for _ in range(100):
        cost.ran(0.000_01)
    assert not cost.is_cheap


@of_sqlite
async def test_cheap_plan_runs_on_the_loop(counted: Counted) -> None:
    assert await counted.run(cheap()) == [True]
    assert await counted.run(Cost()) == [False]
    assert await counted.run(None) == [False]


@of_sqlite
async def test_plan_that_takes_long_on_the_loop_starts_again_in_a_thread(counted: Counted) -> None:
    cost = cheap()
    assert await counted.run(cost, 3_000_000) == [True, False]
    assert not cost.is_cheap
    assert await counted.run(cost) == [False]
    assert counted.database._plans.waiting == 0
    assert await counted.run(cheap()) == [True]


@of_sqlite
async def test_cheap_plan_waits_for_its_turn_where_others_wait(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = counted.database._plans
    assert isinstance(plans, sqlite_plans.SqlitePlans)
    monkeypatch.setattr(plans._queue, "start", lambda _read: False)
    assert await counted.run(cheap()) == [False]


@of_sqlite
async def test_cheap_plan_on_the_loop_raises_what_it_raises(counted: Counted) -> None:
    def failing() -> Generator[Query, Sequence[Row], int]:
        yield Query("SELECT 1")
        raise LookupError("no")

    with pytest.raises(LookupError):
        await counted.database.plan(failing, snapshot=True, caller=1, cost=cheap())
    assert await counted.run(cheap()) == [True]
