"""Connections to PostgreSQL are opened beside the commands and reads that need them, and know the types of ours."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Generator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from app.core.clock import Clock
from app.core.events import EventRecord
from app.core.ids import Ids
from app.settings import Settings
from app.storage import growth
from app.storage.database import Database, Query, Row, Work, open_database
from app.storage.driver_types import know_arrays
from app.storage.engines import asyncpg_arguments, parse_database_url
from app.storage.growth import Growth
from tests.serving import eventually
from tests.sharing import OPEN_TOGETHER
from tests.storage.conftest import increment

pytestmark = pytest.mark.anyio

on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
CONNECTIONS = 6


@pytest.fixture
def settings() -> Settings:
    return Settings(pool_size=CONNECTIONS)


class Pool:
    """A pool whose connections are opened when the test says so."""

    def __init__(self, most: int) -> None:
        self.open = asyncio.Semaphore(0)
        self.failure: Exception | None = None
        self.tried = 0
        self.one_by_one = True
        self.at_once = 0
        self.free = 0
        self.growth = Growth(1, most, connect=self._connect, grown=self._grown, lacks=lambda: not self.free)

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[None]:
        self.tried += 1
        self.at_once += 1
        assert self.at_once == 1 or not self.one_by_one
        try:
            await self.open.acquire()
            if self.failure is not None:
                raise self.failure
            yield
        finally:
            self.at_once -= 1

    def _grown(self) -> None:
        self.free += 1


async def test_growth_opens_one_after_the_other_while_all_are_in_use() -> None:
    pool = Pool(4)
    for opened in (2, 3, 4):
        for _ in range(3):
            pool.growth.look()
            await asyncio.sleep(0)
        assert (pool.tried, pool.growth.opened) == (opened - 1, opened - 1)
        pool.open.release()
        await eventually(lambda opened=opened: pool.free == 1)  # type: ignore[misc]
        pool.growth.look()
        await asyncio.sleep(0)
        assert (pool.tried, pool.growth.opened) == (opened - 1, opened)
        pool.free = 0
    pool.growth.look()
    await asyncio.sleep(0)
    assert (pool.tried, pool.growth.opened) == (3, 4)
    await pool.growth.close()


async def test_growth_pauses_after_a_failure_and_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = list[float]()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(growth, "asyncio", SimpleNamespace(sleep=pause, create_task=asyncio.create_task))
    pool = Pool(2)
    pool.failure = asyncpg.TooManyConnectionsError("sorry, too many clients already")
    pool.growth.look()
    pool.open.release()
    await eventually(lambda: len(pauses) == 1)
    pool.failure = None
    pool.open.release()
    await eventually(lambda: pool.growth.opened == 2)
    assert (pauses[0], pool.tried) == (growth.PAUSE, 2)


async def test_growth_that_is_closed_opens_nothing() -> None:
    pool = Pool(4)
    pool.growth.look()
    await asyncio.sleep(0)
    await pool.growth.close()
    pool.open.release()
    assert (pool.tried, pool.at_once, pool.growth.opened) == (1, 0, 1)
    await Pool(4).growth.close()


@pytest.mark.parametrize(("pool_size", "plans", "commands"), [(1, 1, 1), (4, 3, 2), (16, 9, 5)])
@on_postgres
async def test_pools_begin_with_more_connections_than_one_caller_may_take(
    database_url: str,
    clock: Clock,
    ids: Ids,
    monkeypatch: pytest.MonkeyPatch,
    pool_size: int,
    plans: int,
    commands: int,
) -> None:
    monkeypatch.setattr(growth, "open_together", OPEN_TOGETHER)
    settings = Settings(pool_size=pool_size)
    database = await open_database(database_url, clock=clock, ids=ids, settings=settings)
    try:
        assert opened(database) == (plans, commands)
        assert database._plans._connections.free == plans  # type: ignore[attr-defined]
        assert database._commands.engine.pool.checkedin() == commands  # type: ignore[attr-defined]
    finally:
        await database.close()


async def test_pools_begin_with_as_many_connections_as_there_are() -> None:
    pool = Pool(9)
    pool.failure = asyncpg.TooManyConnectionsError("sorry, too many clients already")
    pool.one_by_one = False
    for _ in range(5):
        pool.open.release()
    assert await OPEN_TOGETHER(pool._connect, 5) == 1
    pool.failure = ValueError("no failure of a connection")
    pool.open.release()
    with pytest.raises(ValueError, match="no failure"):
        await OPEN_TOGETHER(pool._connect, 1)


def steps(sql: str = "SELECT 7", *args: object) -> Generator[Query, Sequence[Row], int]:
    rows = yield Query(sql, args)
    return int(rows[0][0])


def opened(database: Database) -> tuple[int, int]:
    """How many connections there are for plans and for commands."""
    return database._plans._growth.opened, database._commands._admission._growth.opened  # type: ignore[attr-defined]


@on_postgres
async def test_nobody_waits_for_a_connection_to_be_opened(
    scratch_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While none can be opened, the one that is open is shared."""
    gate, tried = asyncio.Event(), list[int]()
    connect = asyncpg.connect

    async def slow(**arguments: Any) -> Any:
        tried.append(1)
        await gate.wait()
        return await connect(**arguments)

    # The first of each pool leaves none that is free, so that one more is opened.
    assert await scratch_database.plan(steps, snapshot=False, caller=1) == 7
    await eventually(lambda: opened(scratch_database) == (2, 2))
    monkeypatch.setattr(asyncpg, "connect", slow)
    try:
        callers = range(20)
        plans = (scratch_database.plan(steps, snapshot=False, caller=caller) for caller in callers)
        assert await asyncio.gather(*plans) == [7] * 20
        commands = (scratch_database.command_of(caller, None, increment) for caller in callers)
        assert sorted(await asyncio.gather(*commands)) == list(range(1, 21))
        assert len(tried) == 2  # one of each pool, beside them
    finally:
        gate.set()


@on_postgres
async def test_connections_are_opened_until_there_are_enough(scratch_database: Database) -> None:
    plans: Any = scratch_database._plans

    def sleep(caller: int, seconds: float) -> Coroutine[Any, Any, int]:
        sleeping = partial(steps, "SELECT 7 FROM pg_sleep($1)", seconds)
        return scratch_database.plan(sleeping, snapshot=False, caller=caller)

    callers = range(2 * CONNECTIONS)
    for caller in callers:
        assert await sleep(caller, 0.0) == 7  # so that it is not new of the caller
    sleeping = [asyncio.create_task(sleep(caller, 600.0)) for caller in callers]
    await eventually(lambda: opened(scratch_database)[0] == plans._connections.opened == CONNECTIONS)
    assert opened(scratch_database)[1] == 2
    for each in sleeping:
        each.cancel()
    await asyncio.gather(*sleeping, return_exceptions=True)
    assert await scratch_database.plan(steps, snapshot=False, caller=1) == 7
    assert plans._queue.free == CONNECTIONS


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The types that connections ask PostgreSQL for."""
    found = list[list[int]]()
    introspect = asyncpg.Connection._introspect_types

    async def ask(self: Any, oids: Any, *rest: Any) -> Any:
        found.append(sorted(oids))
        return await introspect(self, oids, *rest)

    monkeypatch.setattr(asyncpg.Connection, "_introspect_types", ask)
    return found


@on_postgres
async def test_connections_know_the_arrays_of_every_type(database_url: str, asked: list[list[int]]) -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    given: dict[str, list[Any]] = {
        "bool": [True, None],
        "int4": [1, -(2**31)],
        "int8": [2**40, None],
        "float8": [1.5],
        "timestamptz": [now],
        "text": ["a", None],
    }
    connection = await asyncpg.connect(**asyncpg_arguments(parse_database_url(database_url)))
    try:
        sql = ", ".join(f"${number}::{name}[]" for number, name in enumerate(given, start=1))
        unaided = await connection.fetchrow(f"SELECT {sql}", *given.values())
        assert len(asked) == 1
        await connection.reload_schema_state()
        know_arrays(connection)
        known = await connection.fetchrow(f"SELECT {sql}, 1", *given.values())
        assert len(asked) == 1
        assert [*known][:-1] == [*unaided] == [*given.values()]
    finally:
        await connection.close()


@on_postgres
async def test_commands_and_reads_ask_for_no_types(
    database_url: str, clock: Clock, ids: Ids, settings: Settings, asked: list[list[int]]
) -> None:
    def happen(work: Work, number: int) -> None:
        work.events.append(EventRecord(topic="test.happened", kind="test", interaction_id=number, customer_id=1))

    def many() -> Generator[Query, Sequence[Row], int]:
        rows = yield Query("SELECT count(*) FROM event_log WHERE interaction_id = ANY($1::bigint[])", ([1, 2, 3],))
        return int(rows[0][0])

    database = await open_database(database_url, clock=clock, ids=ids, settings=settings)
    try:
        for _ in range(3):
            await asyncio.gather(*(database.command_of(number, None, happen, number) for number in range(4)))
            await asyncio.gather(*(database.plan(many, snapshot=False, caller=number) for number in range(4)))
        assert database._plans._growth.opened > 1  # type: ignore[attr-defined]
        assert await database.plan(many, snapshot=False, caller=1) == 9
    finally:
        await database.close()
    assert asked == []
