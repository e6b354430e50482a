"""Reads of a replica: as new as the primary's, or the primary's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa

from app.settings import Settings
from app.storage.database import Database, Query, Row, Work, open_database
from app.storage.engines import ConfigurationError
from app.storage.liveness import Liveness
from app.storage.replicas import Replicas
from app.storage.replicas.replica import PRIMARY_POSITION, Left
from tests.conftest import CountingIds, ManualClock
from tests.replication import Replicated, execute
from tests.serving import PATIENCE
from tests.silence import SILENCE, network_to

pytestmark = pytest.mark.anyio

ANA, BEN = 1, 2
"""Two callers; of two replicas each has another."""

PATIENT = 60_000
NEWEST = "SELECT max(id), pg_is_in_recovery() FROM written"
LASTING = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_sleep(600)::text ELSE 'primary' END FROM written LIMIT 1"
LASTS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"

FirstRow = Generator[Query, Sequence[Row], Row]

_numbers = count(1)


@pytest.fixture
def opened(replicated: Replicated, clock: ManualClock, settings: Settings) -> Callable[..., Any]:
    """Opens the database as a process does, with the replica or others; closed after the block."""

    @asynccontextmanager
    async def open_(*urls: str, read_lag: int = PATIENT, observer: Any = None, **more: Any) -> AsyncIterator[Database]:
        given = {"read_lag": read_lag, "read_timeout": timedelta(minutes=10), **more}
        database = await open_database(
            replicated.url,
            clock=clock,
            ids=CountingIds(),
            settings=settings.model_copy(update=given),
            observer=observer,
            read_urls=urls or (replicated.replica_url,),
        )
        try:
            yield database
        finally:
            await database.close()

    return open_


def write(work: Work) -> int:
    number = next(_numbers)
    work.connection.execute(sa.text("INSERT INTO written VALUES (:id, 'new')"), {"id": number})
    return number


async def read(database: Database, sql: str = NEWEST, caller: int = ANA) -> Any:
    """The first row that a caller reads; that of NEWEST says last whether a replica has answered."""

    def steps() -> FirstRow:
        return (yield Query(sql))[0]

    found: Any = await database.read(steps, snapshot=False, caller=caller)
    return tuple(found)


def of(database: Database) -> Replicas:
    assert database.replicas is not None
    return database.replicas


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(int(PATIENCE / 0.01)):
        if await condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to be")


async def until_left(database: Database, reason: str | None) -> None:
    """Wait until the first replica is left for the reason, or used."""

    async def is_so() -> bool:
        return of(database).left.get(1) == reason

    await until(is_so)


async def test_replica_answers_with_all_that_any_process_wrote_before(opened: Any) -> None:
    async with opened() as writing, opened() as reading:
        await until_left(reading, None)
        for turn in range(20):
            number = await writing.command(write)
            assert await read(reading, caller=turn) == (number, True)
        assert (of(reading).all[0].reads, of(reading).at_primary) == (20, 0)
        assert of(reading).all[0].departures == {}


async def test_replica_shares_a_round_between_reads(opened: Any) -> None:
    asked: list[str] = []
    async with opened(observer=asked.append) as database:
        await until_left(database, None)
        asked.clear()
        assert {await each for each in [asyncio.create_task(read(database, caller=n)) for n in range(100)]}
        assert asked.count(NEWEST) == of(database).all[0].reads == 100
        # Nobody needs more than one; there is another one every half second.
        assert 1 <= asked.count(PRIMARY_POSITION.sql) < 50


async def test_replica_lags_and_is_left_until_it_keeps_up(opened: Any, replicated: Replicated) -> None:
    async with opened(read_lag=50) as database:
        await until_left(database, None)
        async with replicated.held_up():
            number = await database.command(write)
            assert await read(database) == (number, False)
            assert of(database).left == {1: "lags"}
            assert of(database).all[0].departures[Left.LAGS] >= 1
            lag = of(database).all[0].lag
            before = of(database).at_primary
            assert await read(database, caller=BEN) == (number, False)
            assert of(database).at_primary == before + 1
            assert of(database).all[0].lag > lag

        async def is_used() -> bool:
            found: tuple[int, bool] = await read(database)
            return found == (number, True)

        await until(is_used)


async def test_replica_dies_and_comes_back_by_itself(opened: Any, replicated: Replicated) -> None:
    async with opened() as database:
        await until_left(database, None)
        number = await database.command(write)
        running = asyncio.create_task(read(database, LASTING))
        await until(lambda: _lasts(replicated))
        await asyncio.to_thread(replicated.stop)
        try:
            assert await running == ("primary",)
            assert await read(database) == (number, False)
            await until_left(database, "unreachable")
            assert (of(database).moved, of(database).all[0].plans) == (1, None)
        finally:
            await asyncio.to_thread(replicated.start)
        await until_left(database, None)
        number = await database.command(write)
        assert await read(database) == (number, True)


async def test_replica_falls_silent_and_its_reads_go_to_the_primary(opened: Any, replicated: Replicated) -> None:
    silence = timedelta(seconds=SILENCE)
    async with (
        network_to(replicated.replica_url) as (network, through),
        opened(through, database_silence=silence) as database,
    ):
        await until_left(database, None)
        number = await database.command(write)
        running = asyncio.create_task(read(database, LASTING))
        await until(lambda: _lasts(replicated))
        network.hold()
        assert await running == ("primary",)
        assert await read(database) == (number, False)
        assert of(database).left
        assert {Left.SILENT, Left.UNREACHABLE} & of(database).all[0].departures.keys()
        network.forget()
        await until_left(database, None)
        assert await read(database) == (number, True)


async def test_replica_that_is_promoted_is_used_no_more(opened: Any, replicated: Replicated) -> None:
    async with opened() as database:
        await until_left(database, None)
        await replicated.promote()
        try:
            number = await database.command(write)
            assert await read(database) == (number, False)
            await until_left(database, "no_replica")
        finally:
            await asyncio.to_thread(replicated.stop)
            await asyncio.to_thread(replicated.start)
        await until_left(database, None)
        assert await read(database) == (number, True)


async def test_replica_ends_a_read_and_the_primary_answers_it(opened: Any, replicated: Replicated) -> None:
    async with opened() as database:
        await until_left(database, None)
        await database.command(write)
        running = asyncio.create_task(read(database, LASTING))
        await until(lambda: _lasts(replicated))
        # The lock is in the log, and the replay ends the read that is in its way.
        await execute(replicated.url, "ALTER TABLE written ADD COLUMN IF NOT EXISTS more text")
        assert await running == ("primary",)
        assert of(database).moved == 1


async def test_replica_of_another_database_is_left_and_another_one_does_its_reads(
    opened: Any, replicated: Replicated
) -> None:
    elsewhere = sa.make_url(replicated.replica_url).set(database="postgres").render_as_string()
    async with opened(elsewhere, replicated.replica_url) as database:

        async def is_settled() -> bool:
            return of(database).left == {1: "other_database"}

        await until(is_settled)
        number = await database.command(write)
        assert [await read(database, caller=caller) for caller in (ANA, BEN)] == [(number, True)] * 2
        assert set(database.loads()) == {"commands", "reads", "replica_2"}


async def test_replicas_answer_nothing_but_reads(opened: Any) -> None:
    async with opened() as database:
        await until_left(database, None)

        def steps() -> FirstRow:
            return (yield Query(NEWEST))[0]

        assert tuple(await database.plan(steps, snapshot=False, caller=ANA))[-1] is False
        assert (of(database).all[0].reads, of(database).at_primary) == (0, 0)


async def test_replica_that_is_away_delays_no_start(opened: Any, replicated: Replicated) -> None:
    nowhere = sa.make_url(replicated.replica_url).set(query={"host": "/nowhere"}).render_as_string()
    async with opened(nowhere) as database:
        number = await database.command(write)
        assert await read(database) == (number, False)
        await until_left(database, "unreachable")


async def test_who_is_cancelled_while_it_drops_connections_ends() -> None:
    """As a replica that is closed while it leaves another attempt behind."""

    async def look_after() -> None:
        await Liveness({}, 1.0).close()
        await asyncio.Event().wait()  # the next attempt

    looking_after = asyncio.create_task(look_after())
    await asyncio.sleep(0)
    looking_after.cancel()
    await asyncio.wait([looking_after], timeout=PATIENCE)
    assert looking_after.cancelled()


async def test_replica_address_that_cannot_be_used_is_refused(opened: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"An address of a replica: .* option 'colour'"):
        async with opened("postgresql://db.example.com/desk?colour=red"):
            pass


async def test_database_without_replicas_reads_as_it_plans(database: Database) -> None:
    assert database.replicas is None
    assert database._reads is database._plans


async def _lasts(replicated: Replicated) -> bool:
    """Whether the read runs on the replica."""
    running: int = await execute(replicated.replica_url, LASTS)
    return running > 0
