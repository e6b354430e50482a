"""What one test leaves and the next takes over: sessions that are as new, and a loop in which nothing is left."""

import asyncio
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from anyio import pytest_plugin

from app.core.fairness import SERVER
from app.feed.wakeup import CHANNEL, PostgresqlWakeups
from app.settings import Settings
from app.storage.database import Database, Work, open_database
from app.storage.engines import asyncpg_arguments, parse_database_url
from app.storage.query import Query
from tests.conftest import CountingIds, ManualClock
from tests.keeping import keeper
from tests.lasting_loop import LastingRunner
from tests.postgres import Copies, begun
from tests.serving import eventually

pytestmark = pytest.mark.anyio

_SESSION = """
SELECT pg_backend_pid(), current_setting('lock_timeout'), current_setting('jit'), to_regclass('pg_temp.own') IS NULL,
(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
(SELECT count(*) FROM pg_listening_channels())
"""


@pytest.fixture
def url(postgres_copies: Copies) -> Iterator[str]:
    with postgres_copies.fresh() as url:
        keeper.end(asyncpg_arguments(parse_database_url(url)))  # those of other tests
        yield url


async def opened(url: str) -> Database:
    return await open_database(url, clock=ManualClock(), ids=CountingIds(), settings=Settings())


def kept_in(url: str) -> Sequence[int]:
    """The processes of PostgreSQL whose sessions are kept."""
    return list(keeper.processes(asyncpg_arguments(parse_database_url(url))))


def _session(work: Work) -> tuple[Any, ...]:
    return tuple(work.connection.exec_driver_sql(_SESSION).one())


def _spoil(work: Work) -> None:
    for sql in (
        *("SET lock_timeout = 1", "SET jit = 'on'", "CREATE TEMP TABLE own ()"),
        *("SELECT pg_advisory_lock(7)", "LISTEN anything"),
    ):
        work.connection.exec_driver_sql(sql)


async def test_kept_session_is_as_a_new_one(url: str) -> None:
    known: set[int] = set()
    for number in range(3):
        kept = set(kept_in(url))
        assert known <= kept
        database = await opened(url)
        process, *session = await database.command(_session)
        assert (process in kept) is (number > 0)
        assert session == ["5s", "off", True, 0, 0]
        await database.command(_spoil)
        await database.close()
        known.add(process)


async def test_kept_session_of_reads_goes_to_reads(url: str) -> None:
    reads: set[int] = set()
    commands: set[int] = set()
    for number in range(2):
        kept = set(kept_in(url))
        database = await opened(url)
        process = await _process_of_a_read(database)
        assert (process in kept) is (number > 0)
        reads.add(process)
        commands.add((await database.command(_session))[0])
        await database.close()
    assert reads.isdisjoint(commands)


async def _process_of_a_read(database: Database) -> int:
    def steps() -> Generator[Query, Any, int]:
        ((process,),) = yield Query("SELECT pg_backend_pid()")
        return int(process)

    return await database.plan(steps, snapshot=False, caller=SERVER)


async def test_kept_session_of_wake_ups_wakes_its_new_user_alone(url: str) -> None:
    woken: list[int] = []
    processes: list[Sequence[int]] = []
    for number in range(2):
        running = asyncio.create_task(PostgresqlWakeups(url).run(partial(woken.append, number)))
        await eventually(lambda number=number: number in woken)  # type: ignore[misc]
        assert kept_in(url) == []
        woken.clear()
        async with begun(url, f"NOTIFY {CHANNEL}"):
            pass
        await eventually(lambda: len(woken) > 0)
        assert set(woken) == {number}
        running.cancel()
        await asyncio.wait([running])
        processes.append(kept_in(url))
    assert len(processes[0]) == 1
    assert processes[0] == processes[1]


async def test_kept_session_has_no_transaction(url: str) -> None:
    database = await opened(url)
    connections = _connections(database)
    begun_in = [connection.get_server_pid() for connection in connections]
    for connection in connections:
        await connection.execute("BEGIN")
    await database.close()
    assert connections
    assert set(begun_in).isdisjoint(kept_in(url))


async def test_connection_whose_session_was_kept_does_nothing_any_more(url: str) -> None:
    first = await opened(url)
    connections = _connections(first)
    await first.close()
    second = await opened(url)
    in_use = _connections(second)
    for connection in connections:
        assert connection.is_closed()
        await connection.close()
        connection.terminate()
    assert in_use
    assert not any(connection.is_closed() for connection in in_use)
    await second.command(_session)
    await second.close()


def _connections(database: Database) -> list[Any]:
    commands: Any = database._commands
    return list(commands.liveness._open)


async def test_kept_session_ends_with_who_is_cancelled_while_taking_it(url: str) -> None:
    first = await opened(url)
    await first.command(_session)
    await first.close()
    kept = keeper._of(None)
    taking = asyncio.create_task(opened(url))
    while len(keeper._of(None)) == len(kept):  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    (taken,) = set(kept) - set(keeper._of(None))
    assert taken.is_closed()


async def test_kept_session_that_has_ended_is_passed_over(url: str) -> None:
    first = await opened(url)
    await first.command(_session)
    await first.close()
    ended = kept_in(url)
    assert ended
    async with begun(url, f"SELECT pg_terminate_backend(pid, 60000) FROM unnest(ARRAY{list(ended)}) AS pid"):
        pass
    second = await opened(url)
    assert (await second.command(_session))[0] not in ended
    await second.close()


def test_kept_session_knows_no_table_that_a_test_changed(postgres_copies: Copies) -> None:
    async def change(url: str) -> None:
        database = await opened(url)
        await database.command(_make_table)
        await database.close()

    with postgres_copies.fresh() as url:
        with pytest_plugin.get_runner("asyncio", {}) as runner:
            runner.run_test(change, {"url": url})
        assert kept_in(url)
    assert not kept_in(url)


def _make_table(work: Work) -> None:
    work.connection.exec_driver_sql("CREATE TABLE own (id int)")


@pytest.fixture
def runner() -> Iterator[LastingRunner]:
    runner = LastingRunner()
    yield runner
    runner.end()


def test_loop_is_left_as_a_new_one(runner: LastingRunner) -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("task")

    async def leave() -> None:
        loop = asyncio.get_running_loop()
        left.append(asyncio.create_task(wait()))
        timers.append(loop.call_later(3_600, ended.append, "timer"))
        await asyncio.to_thread(lambda: None)

    async def look() -> None:
        loops.append(asyncio.get_running_loop())
        tasks.append(len(asyncio.all_tasks()))
        await asyncio.to_thread(lambda: None)

    left: list[asyncio.Task[None]] = []
    timers: list[asyncio.TimerHandle] = []
    loops: list[asyncio.AbstractEventLoop] = []
    tasks: list[int] = []
    for test in (leave, look, look):
        with runner:
            runner.run_test(test, {})
    assert left[0].cancelled()
    assert timers[0].cancelled()
    assert ended == ["task"]
    assert loops[0] is loops[1]
    assert tasks == [2, 2]  # the test's own, and the runner's
