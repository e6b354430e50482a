"""Plans: reading on the driver."""

import asyncio
import sqlite3
import threading
from collections.abc import Generator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any, cast

import asyncpg
import pytest
import sqlalchemy as sa

from app.core.clock import Clock
from app.core.errors import NotFound, Timeout, Unavailable
from app.core.ids import Ids
from app.settings import Settings
from app.storage.database import Database, Query, Row, Work, open_database
from app.storage.engines import asyncpg_arguments, parse_database_url
from app.storage.migrations import migrate
from app.storage.postgresql_plans import ROWS_ON_LOOP, PostgresqlPlans
from tests.storage.conftest import increment

pytestmark = pytest.mark.anyio

COUNT = Query("SELECT value FROM counter WHERE id = 1")
END_OTHERS = Query(
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
Reading = Generator[Query, Sequence[Row], list[int]]


@pytest.mark.parametrize(("snapshot", "second"), [(True, 0), (False, 1)])
async def test_a_snapshot_sees_one_moment(scratch_database: Database, snapshot: bool, second: int) -> None:
    loop = asyncio.get_running_loop()
    between = asyncio.Event()
    sqlite = scratch_database.dialect.name == "sqlite"

    def steps() -> Reading:
        first = yield COUNT
        if sqlite:
            asyncio.run_coroutine_threadsafe(scratch_database.command(increment), loop).result(5)
        else:
            between.set()
            yield Query("SELECT pg_sleep(0.1)")
        again = yield COUNT
        return [first[0][0], again[0][0]]

    async def write() -> None:
        await between.wait()
        await scratch_database.command(increment)

    if sqlite:
        assert await scratch_database.plan(steps, snapshot=snapshot, caller=1) == [0, second]
    else:
        read, _ = await asyncio.gather(scratch_database.plan(steps, snapshot=snapshot, caller=1), write())
        assert read == [0, second]


async def test_arguments_reach_the_driver(scratch_database: Database) -> None:
    mark = "?" if scratch_database.dialect.name == "sqlite" else "$1"

    def steps() -> Reading:
        rows = yield Query(f"SELECT id FROM counter WHERE id > {mark}", (1,))
        return [row[0] for row in rows]

    assert await scratch_database.plan(steps, snapshot=False, caller=1) == [2]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_a_read_goes_to_the_connection_that_has_read_by_its_statement(scratch_database: Database) -> None:
    connections = cast("PostgresqlPlans", scratch_database._plans)._connections
    first, latest = [await connections.open() for _ in range(2)]
    assert [tuple(row) for row in await first.rows("SELECT 1", ())] == [(1,)]
    connections.give_back(first)
    connections.give_back(latest)
    taken = [connections.take("SELECT 1"), connections.take("SELECT 1")]
    for each in taken:
        assert each is not None
        connections.give_back(each)
    assert taken == [first, latest]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_many_rows_are_made_objects_of_beside_the_loop(scratch_database: Database) -> None:
    plans = cast("PostgresqlPlans", scratch_database._plans)
    threads = list[bool]()

    def steps(numbers: Sequence[int]) -> Reading:
        found = list[int]()
        for number in numbers:
            rows = yield Query("SELECT generate_series(1, $1::int)", (number,))
            threads.append(threading.current_thread().name.startswith("rows"))
            found.append(len(rows))
        if sum(numbers) % 2:
            raise NotFound("odd")
        return found

    async def run(*numbers: int) -> list[int]:
        return await scratch_database.plan(lambda: steps(numbers), snapshot=True, caller=1)

    few, many = ROWS_ON_LOOP, ROWS_ON_LOOP + 2
    assert await run(few, many, few, many) == [few, many, few, many]
    assert (threads, plans.offloaded) == ([False, True, False, True], 2)
    with pytest.raises(NotFound):
        await run(many, many + 1)
    assert await run(few) == [few]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_whoever_leaves_while_rows_are_made_objects_of_leaves_nothing_begun(scratch_database: Database) -> None:
    entered, gate = threading.Event(), threading.Event()
    closed = list[bool]()

    def steps() -> Reading:
        try:
            rows = yield Query("SELECT generate_series(1, $1::int)", (ROWS_ON_LOOP + 1,))
            entered.set()
            assert gate.wait(10)
            yield Query("SELECT 1")
            return [len(rows)]
        finally:
            closed.append(True)

    task = asyncio.create_task(scratch_database.plan(steps, snapshot=True, caller=1))
    assert await asyncio.to_thread(entered.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed == [True]
    # The connection was given back without a transaction.
    state = Query("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' AND datname = current_database()")

    def reading() -> Reading:
        rows = yield state
        return [rows[0][0]]

    assert await scratch_database.plan(reading, snapshot=False, caller=1) == [0]


@pytest.mark.parametrize("snapshot", [True, False])
async def test_what_a_plan_raises_passes_through(scratch_database: Database, snapshot: bool) -> None:
    closed = []

    def steps() -> Reading:
        try:
            yield COUNT
            raise NotFound("gone")
        finally:
            closed.append(True)

    def after() -> Reading:
        rows = yield COUNT
        return [row[0] for row in rows]

    for _ in range(20):
        with pytest.raises(NotFound):
            await scratch_database.plan(steps, snapshot=snapshot, caller=1)
        assert await scratch_database.plan(after, snapshot=True, caller=1) == [0]
    assert closed == [True] * 20
    await scratch_database.command(increment)
    assert await scratch_database.plan(after, snapshot=False, caller=1) == [1]


async def test_a_wrong_statement_or_argument_is_told_once(scratch_database: Database) -> None:
    sqlite = scratch_database.dialect.name == "sqlite"
    calls = []

    def wrong() -> Reading:
        calls.append("statement")
        yield Query("SELECT nonsense FROM counter")
        return []

    def mistyped() -> Reading:
        calls.append("argument")
        yield Query("SELECT id FROM counter WHERE id = " + ("?" if sqlite else "$1"), (object(),))
        return []

    with pytest.raises(sqlite3.OperationalError if sqlite else asyncpg.UndefinedColumnError):
        await scratch_database.plan(wrong, snapshot=True, caller=1)
    with pytest.raises(sqlite3.Error if sqlite else asyncpg.DataError):
        await scratch_database.plan(mistyped, snapshot=True, caller=1)
    assert calls == ["statement", "argument"]


async def test_a_plan_cannot_write(scratch_database: Database) -> None:
    def write() -> Reading:
        yield Query("UPDATE counter SET value = 7")
        return []

    with pytest.raises((sqlite3.OperationalError, asyncpg.ReadOnlySQLTransactionError)):
        await scratch_database.plan(write, snapshot=True, caller=1)


async def test_a_cancelled_plan_gives_its_connection_back(scratch_database: Database) -> None:
    def steps() -> Reading:
        for _ in range(50):
            yield COUNT
        rows = yield COUNT
        return [row[0] for row in rows]

    for _ in range(30):
        task = asyncio.create_task(scratch_database.plan(steps, snapshot=True, caller=1))
        await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert (
        await asyncio.gather(*(scratch_database.plan(steps, snapshot=True, caller=1) for _ in range(30))) == [[0]] * 30
    )


@pytest.mark.parametrize("moment", range(1, 6))
async def test_whoever_leaves_at_any_moment_leaves_nothing_begun(scratch_database: Database, moment: int) -> None:
    """Among the moments is the one between the preparation of a statement and its run: the answer to the first has
    arrived, and the task has not seen it yet."""

    def new(number: int) -> Reading:
        rows = yield Query(f"SELECT value AS never_asked_{number} FROM counter")
        return [row[0] for row in rows]

    def steps() -> Reading:
        rows = yield COUNT
        return [row[0] for row in rows]

    for number in range(5):
        task = asyncio.create_task(scratch_database.plan(partial(new, number), snapshot=False, caller=1))
        answers = 0
        while answers < moment and not task.done():
            await asyncio.sleep(0)
            waiting: asyncio.Future[object] | None = getattr(task, "_fut_waiter", None)
            answers += waiting is not None and waiting.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await scratch_database.plan(steps, snapshot=True, caller=1) == [0]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_times_on_the_driver_are_those_of_the_database(scratch_database: Database) -> None:
    moments = [
        datetime(2, 1, 1, tzinfo=UTC),
        datetime(9998, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 4, 5, 6, 7, 500_000, tzinfo=UTC),
        datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    ]

    def steps() -> Generator[Query, Sequence[Row], list[Any]]:
        rows = yield Query("SELECT $1::timestamptz, $2::timestamptz, $3::timestamptz, $4::timestamptz", moments)
        again = yield Query("SELECT each FROM unnest($1::timestamptz[]) each", [moments])
        ((nothing,),) = yield Query("SELECT NULL::timestamptz")
        assert nothing is None
        return [*rows[0], *(row[0] for row in again)]

    found = await scratch_database.plan(steps, snapshot=True, caller=1)
    assert found == moments * 2
    assert {each.tzinfo for each in found} == {UTC}


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_times_are_read_whatever_form_the_database_prefers(
    scratch_database: Database, database_url: str, clock: Clock, ids: Ids, settings: Settings
) -> None:
    name = sa.make_url(database_url).database

    def prefer(work: Work, *wishes: str) -> None:
        for wish in wishes:
            work.connection.execute(sa.text(f'ALTER DATABASE "{name}" {wish}'))

    def steps() -> Generator[Query, Sequence[Row], Any]:
        ((found,),) = yield Query("SELECT timestamptz '2026-03-04 05:06:07.5Z'")
        return found

    await scratch_database.command(prefer, "SET DateStyle = 'German'", "SET TimeZone = 'Asia/Tokyo'")
    try:
        database = await open_database(database_url, clock=clock, ids=ids, settings=settings)
        found = await database.plan(steps, snapshot=False, caller=1)
        await database.close()
    finally:
        await scratch_database.command(prefer, "RESET DateStyle", "RESET TimeZone")
    assert (found, found.tzinfo) == (datetime(2026, 3, 4, 5, 6, 7, 500_000, tzinfo=UTC), UTC)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("snapshot", [True, False])
async def test_statements_that_a_change_of_a_table_made_old_are_prepared_anew(
    scratch_database: Database, snapshot: bool
) -> None:
    def steps() -> Reading:
        rows = yield COUNT
        yield Query("SELECT pg_sleep(0.01)")
        return [row[0] for row in rows]

    def change(work: Work, type_: str) -> None:
        work.connection.execute(sa.text(f"ALTER TABLE counter ALTER COLUMN value TYPE {type_}"))

    async def read_at_once() -> None:
        reads = (scratch_database.plan(steps, snapshot=snapshot, caller=caller) for caller in range(6))
        assert await asyncio.gather(*reads) == [[0]] * 6

    for type_ in ("integer", "bigint"):
        await read_at_once()
        await scratch_database.command(change, type_)
    await read_at_once()


async def test_lost_connections_are_replaced(scratch_database: Database) -> None:
    """The server ends every other connection; commands and plans go on as if nothing had been."""
    if scratch_database.dialect.name == "postgresql":

        def end() -> Reading:
            rows = yield END_OTHERS
            return [row[0] for row in rows]

        assert (await scratch_database.plan(end, snapshot=False, caller=1))[0] >= 1

    def steps() -> Reading:
        rows = yield COUNT
        return [row[0] for row in rows]

    await asyncio.gather(*(scratch_database.command(increment) for _ in range(20)))
    assert (
        await asyncio.gather(*(scratch_database.plan(steps, snapshot=True, caller=1) for _ in range(20))) == [[20]] * 20
    )


@pytest.mark.parametrize("snapshot", [True, False])
async def test_a_plan_starts_again_when_its_connection_is_ended(scratch_database: Database, snapshot: bool) -> None:
    endings = 0 if scratch_database.dialect.name == "sqlite" else 3  # nobody ends a connection to a file
    starts = 0

    def steps() -> Reading:
        nonlocal starts
        starts += 1
        if starts <= endings:
            yield Query("SELECT pg_terminate_backend(pg_backend_pid())")
        rows = yield COUNT
        return [row[0] for row in rows]

    assert await scratch_database.plan(steps, snapshot=snapshot, caller=1) == [0]
    assert starts == endings + 1


async def test_connections_that_are_ended_under_load_are_not_noticed(scratch_database: Database) -> None:
    over = False

    def end() -> Reading:
        rows = yield COUNT if scratch_database.dialect.name == "sqlite" else END_OTHERS
        return [row[0] for row in rows]

    def steps() -> Reading:
        yield COUNT
        rows = yield COUNT
        return [row[0] for row in rows]

    async def read() -> None:
        while not over:
            assert await scratch_database.plan(steps, snapshot=True, caller=1) == [0]

    readers = [asyncio.create_task(read()) for _ in range(8)]
    for _ in range(10):
        await scratch_database.plan(end, snapshot=False, caller=1)
        await asyncio.sleep(0.03)
    over = True
    await asyncio.gather(*readers)


ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


async def test_a_read_without_an_end_is_stopped(database_url: str, clock: Clock, ids: Ids, settings: Settings) -> None:
    hasty = settings.model_copy(update={"read_timeout": timedelta(seconds=0.2)})
    database = await open_database(database_url, clock=clock, ids=ids, settings=hasty)

    def steps(sql: str) -> Reading:
        return [row[0] for row in (yield Query(sql))]

    try:
        with pytest.raises(Timeout, match=r"longer than 0\.2 seconds"):
            await database.plan(lambda: steps(ENDLESS[database.dialect.name]), snapshot=True, caller=1)
        assert await database.plan(lambda: steps("SELECT 7"), snapshot=True, caller=1) == [7]
    finally:
        await database.close()


@pytest.mark.parametrize("empty_database_url", ["postgres"], indirect=True)
async def test_a_database_that_lets_nobody_in_is_away(
    empty_database_url: str, clock: Clock, ids: Ids, settings: Settings
) -> None:
    await migrate(empty_database_url)
    database = await open_database(empty_database_url, clock=clock, ids=ids, settings=settings)
    url = sa.make_url(empty_database_url)
    elsewhere = parse_database_url(url.set(database="postgres").render_as_string(hide_password=False))
    door = await asyncpg.connect(**asyncpg_arguments(elsewhere))

    def end_all() -> Reading:
        yield Query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()")
        return []

    def steps() -> Reading:
        return [row[0] for row in (yield Query("SELECT 7"))]

    try:
        await door.execute(f"ALTER DATABASE {url.database} WITH ALLOW_CONNECTIONS false")
        with pytest.raises(Unavailable, match=r"The database cannot be reached\."):
            await database.plan(end_all, snapshot=False, caller=1)
        await door.execute(f"ALTER DATABASE {url.database} WITH ALLOW_CONNECTIONS true")
        assert await database.plan(steps, snapshot=False, caller=1) == [7]
    finally:
        await door.close()
        await database.close()
