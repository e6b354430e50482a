"""Look-ups by a key on SQLite: which the loop answers itself, and which it leaves to the readers."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Generator, Sequence
from functools import partial
from pathlib import Path
from threading import Event, Thread, current_thread

import pytest

from app.core.errors import NotFound
from app.settings import Settings
from app.storage.query import Query, Row
from app.storage.sqlite_lookups import LONGEST, MOST_STEPS, PAUSE, Lookups
from app.storage.sqlite_plans import SqlitePlans
from tests.serving import PATIENCE

pytestmark = pytest.mark.anyio

COUNTED = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT count(*) FROM n"
"""It takes a dozen steps for each number."""

SEVEN = "SELECT n FROM t"


def steps(sql: str, *args: object) -> Generator[Query, Sequence[Row], int]:
    rows = yield Query(sql, args)
    return int(rows[0][0])


class Asked:
    """Look-ups over a small file, their clock, and what ran in which thread."""

    def __init__(self, file: Path) -> None:
        self.now = 100.0
        self.plans = SqlitePlans(str(file), Settings(reader_threads=2))
        self.lookups = Lookups(self.plans, lambda: self.now)
        self.observed: list[tuple[Thread, str]] = []
        self.plans.observer = lambda sql: self.observed.append((current_thread(), sql))

    async def look_up(self, sql: str = SEVEN, *args: object) -> tuple[int, bool]:
        """What is found, and whether the loop has found it itself."""
        done = self.lookups.done
        found = await self.lookups.run(partial(steps, sql, *args), caller=1)
        return found, self.lookups.done > done


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    connection = sqlite3.connect(tmp_path / "some.db")
    connection.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (7)")
    connection.close()
    found = Asked(tmp_path / "some.db")
    yield found
    found.lookups.close()
    await found.plans.close()


async def test_look_up_is_read_by_the_loop(asked: Asked) -> None:
    assert await asked.look_up() == (7, True)
    assert asked.observed == [(current_thread(), SEVEN)]


async def test_look_up_of_many_steps_is_left_to_the_readers(asked: Asked) -> None:
    for _ in range(MOST_STEPS // 10):  # the steps of all runs together do not count
        assert await asked.look_up(COUNTED, 10) == (10, True)
    assert await asked.look_up(COUNTED, MOST_STEPS) == (MOST_STEPS, False)
    assert await asked.look_up(COUNTED, 10) == (10, True)


async def test_look_ups_pause_after_two_slow_ones_in_a_row(asked: Asked) -> None:
    def slow() -> Generator[Query, Sequence[Row], int]:
        found = yield from steps(SEVEN)
        asked.now += 0.25
        return found

    for _ in range(3):
        assert await asked.lookups.run(slow, caller=1) == 7
        assert await asked.look_up() == (7, True)
    assert (await asked.lookups.run(slow, caller=1), await asked.lookups.run(slow, caller=1)) == (7, 7)
    assert await asked.look_up() == (7, False)
    asked.now += PAUSE * 0.25 - 0.125
    assert await asked.look_up() == (7, False)
    asked.now += 0.125
    assert await asked.look_up() == (7, True)


async def test_look_ups_pause_after_one_that_was_given_up(asked: Asked) -> None:
    def long() -> Generator[Query, Sequence[Row], int]:
        asked.now += LONGEST / 8
        return (yield from steps(COUNTED, MOST_STEPS))

    assert await asked.lookups.run(long, caller=1) == MOST_STEPS
    assert await asked.look_up() == (7, False)
    asked.now += LONGEST / 8 * PAUSE
    assert await asked.look_up() == (7, True)


async def test_look_up_is_left_to_the_readers_while_they_have_something_else_to_do(asked: Asked) -> None:
    begun, goes_on = asyncio.Event(), Event()
    loop = asyncio.get_running_loop()

    def held() -> Generator[Query, Sequence[Row], int]:
        loop.call_soon_threadsafe(begun.set)
        assert goes_on.wait(PATIENCE)
        return (yield from steps("SELECT 8"))

    reading = asyncio.create_task(asked.plans.run(held, snapshot=False, caller=2))
    await asyncio.wait_for(begun.wait(), PATIENCE)
    assert await asked.look_up() == (7, False)
    goes_on.set()
    assert await reading == 8
    assert await asked.look_up() == (7, True)


async def test_look_up_is_read_by_the_loop_while_the_readers_have_look_ups_alone(asked: Asked) -> None:
    goes_on = Event()

    def held() -> Generator[Query, Sequence[Row], int]:
        if current_thread() is not loops:
            assert goes_on.wait(PATIENCE)
        return (yield from steps(COUNTED, MOST_STEPS))

    loops = current_thread()
    others = [asyncio.create_task(asked.lookups.run(held, caller=1)) for _ in range(4)]
    await asyncio.sleep(0)
    assert asked.plans.asked == 4
    assert await asked.look_up() == (7, True)
    goes_on.set()
    assert await asyncio.gather(*others) == [MOST_STEPS] * 4


async def test_look_up_does_not_wait_for_a_lock(asked: Asked, tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "some.db", isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    elsewhere = asyncio.create_task(asked.look_up())
    await asyncio.sleep(0)
    assert (asked.lookups.done, asked.plans.asked) == (0, 1)
    holder.close()
    assert await elsewhere == (7, False)
    assert await asked.look_up() == (7, True)
    assert asked.lookups._connected().execute("PRAGMA busy_timeout").fetchone() == (0,)


async def test_fault_of_the_database_is_the_readers_and_one_of_the_plan_is_raised(asked: Asked) -> None:
    def refused() -> Generator[Query, Sequence[Row], int]:
        yield Query(SEVEN)
        raise NotFound("There is nothing.")

    with pytest.raises(sqlite3.OperationalError, match="no such column: missing"):
        await asked.look_up("SELECT missing FROM t")
    assert {thread.name for thread, _ in asked.observed} > {current_thread().name}
    with pytest.raises(NotFound):
        await asked.lookups.run(refused, caller=1)
    assert await asked.look_up() == (7, True)
