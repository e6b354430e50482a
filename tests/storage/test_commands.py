"""Units of work."""

import asyncio
import gc
import sqlite3
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.util import await_only

from app.core.errors import Conflict, Unavailable
from app.core.events import EventRecord
from app.settings import Settings
from app.storage import postgresql
from app.storage.database import Database, Query, Work, open_database
from app.storage.event_log import HEADS, event_log
from app.storage.fixed import Fixed
from app.storage.migrations import migrate
from app.storage.sqlite_commands import ATTEMPTS
from tests.conftest import START, CountingIds, ManualClock
from tests.postgres import Copies, begun
from tests.serving import PATIENCE
from tests.storage.conftest import counter, increment, value_of

pytestmark = pytest.mark.anyio


async def test_300_concurrent_increments_lose_none(scratch_database: Database) -> None:
    values = await asyncio.gather(*(scratch_database.command(increment) for _ in range(300)))
    assert sorted(values) == list(range(1, 301))
    assert await scratch_database.command(value_of) == 300


async def test_a_unit_sees_the_injected_time_ids_and_settings(database: Database, clock: ManualClock) -> None:
    clock.advance(90)

    def look(work: Work, word: str, *, end: str) -> tuple[datetime, str, str, int, str]:
        return work.now, work.ids.key("cus"), work.ids.uuid(), work.settings.port, word + end

    assert await database.command(look, "a", end="z") == (
        START + timedelta(seconds=90),
        "cus_1",
        "00000000-0000-7000-8000-000000000001",
        8000,
        "az",
    )


async def test_a_repository_is_made_once_a_unit(database: Database) -> None:
    class Things:
        def __init__(self, connection: sa.Connection) -> None:
            self.connection = connection

    def use(work: Work) -> Things:
        assert work.use(Things) is work.use(Things)
        assert work.use(Things).connection is work.connection
        return work.use(Things)

    assert await database.command(use) is not await database.command(use)


async def test_a_cancelled_command_still_commits(scratch_database: Database) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow(work: Work) -> None:
        increment(work)
        started.set()
        if work.dialect_name == "sqlite":
            assert go_on.wait(PATIENCE)
        else:
            work.connection.execute(sa.text("SELECT pg_sleep(0.2)"))

    task = asyncio.create_task(scratch_database.command(slow))
    assert await asyncio.to_thread(started.wait, PATIENCE)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    await _settled(scratch_database)
    assert await scratch_database.command(value_of) == 1


async def test_a_command_cancelled_while_it_waits_still_commits(scratch_database: Database) -> None:
    task = asyncio.create_task(scratch_database.command(increment))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _settled(scratch_database)
    assert await scratch_database.command(value_of) == 1


async def _settled(database: Database) -> None:
    for _ in range(500):
        if await database.command(value_of):
            return
        await asyncio.sleep(0.01)


async def test_a_refused_unit_leaves_the_rest_of_its_group(scratch_database: Database) -> None:
    def refuse(work: Work) -> int:
        increment(work)
        work.record(EventRecord(topic="thing.refused", interaction_id=1))
        raise Conflict("no")

    def broken(work: Work) -> int:
        increment(work)
        return int(work.connection.execute(sa.text("SELECT * FROM no_such_table")).scalar_one())

    units = [increment, refuse, increment, broken, increment] * 8
    results = await asyncio.gather(*(scratch_database.command(unit) for unit in units), return_exceptions=True)
    assert sorted(value for value in results if isinstance(value, int)) == list(range(1, 25))
    assert [type(error) for error in results[1::5]] == [Conflict] * 8
    assert all(isinstance(error, sa.exc.DBAPIError) for error in results[3::5])
    assert await scratch_database.command(value_of) == 24
    assert await scratch_database.command(_events) == 0


def _events(work: Work) -> int:
    return work.connection.execute(sa.select(sa.func.count()).select_from(event_log)).scalar_one()


async def test_an_event_that_is_not_json_undoes_only_its_own_unit(scratch_database: Database) -> None:
    def unwritable(work: Work) -> None:
        increment(work)
        work.record(EventRecord(topic="thing.changed", data={"what": object()}))

    def written(work: Work) -> None:
        increment(work)
        work.record(EventRecord(topic="thing.changed"))

    results = await asyncio.gather(
        scratch_database.command(unwritable), scratch_database.command(written), return_exceptions=True
    )
    assert [type(result) for result in results] == [TypeError, type(None)]
    assert await scratch_database.command(value_of) == 1
    assert await scratch_database.command(_events) == 1


async def test_a_deadlock_is_repeated_with_a_new_unit(scratch_database: Database) -> None:
    if scratch_database.dialect.name == "sqlite":  # its one writer cannot deadlock: the same units just pass
        both = await asyncio.gather(scratch_database.command(_both_of, 1, 2), scratch_database.command(_both_of, 2, 1))
        assert list(both) == [1, 2]
        return
    units: list[Work] = []

    def crossing(work: Work, first: int, second: int) -> None:
        units.append(work)
        increment(work, first)
        work.connection.execute(sa.text("SELECT pg_sleep(0.1)"))
        increment(work, second)

    await asyncio.gather(scratch_database.command(crossing, 1, 2), scratch_database.command(crossing, 2, 1))
    assert (await scratch_database.command(value_of, 1), await scratch_database.command(value_of, 2)) == (2, 2)
    assert len(units) == len(set(map(id, units))) == 3


async def test_a_unit_that_was_overtaken_starts_again_and_sees_that(scratch_database: Database) -> None:
    await scratch_database.command(_make_child)
    if scratch_database.dialect.name == "sqlite":  # its one writer cannot be overtaken
        return
    starts = 0

    def bury(work: Work) -> None:
        work.connection.execute(sa.delete(counter).where(counter.c.id == 2))

    def adopt(work: Work) -> str:
        nonlocal starts
        starts += 1
        if work.connection.execute(sa.select(counter.c.id).where(counter.c.id == 2)).first() is None:
            return "gone"
        await_only(scratch_database.command(bury))
        work.connection.execute(sa.text("INSERT INTO child (id, parent_id) VALUES (1, 2)"))
        return "adopted"

    assert (await scratch_database.command(adopt), starts) == ("gone", 2)


async def test_a_unit_that_violates_by_its_own_fault_fails(scratch_database: Database) -> None:
    await scratch_database.command(_make_child)
    starts = 0

    def orphan(work: Work) -> None:
        nonlocal starts
        starts += 1
        work.connection.execute(sa.text("INSERT INTO child (id, parent_id) VALUES (1, 99)"))

    with pytest.raises(IntegrityError):
        await scratch_database.command(orphan)
    assert starts == {"sqlite": 1, "postgresql": 2}[scratch_database.dialect.name]


def _make_child(work: Work) -> None:
    work.connection.execute(
        sa.text("CREATE TABLE child (id bigint PRIMARY KEY, parent_id bigint REFERENCES counter(id))")
    )


async def test_a_unit_starts_again_when_its_connection_is_ended(scratch_database: Database) -> None:
    endings = 0 if scratch_database.dialect.name == "sqlite" else 3  # nobody ends a connection to a file
    starts = 0

    def unit(work: Work) -> int:
        nonlocal starts
        starts += 1
        made = increment(work)
        if starts <= endings:
            work.connection.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return made

    assert await scratch_database.command(unit) == 1
    assert starts == endings + 1
    assert await scratch_database.command(value_of) == 1


async def test_an_error_of_the_database_shows_no_values(scratch_database: Database) -> None:
    def unit(work: Work) -> None:
        work.connection.execute(sa.text("SELECT nonsense FROM counter WHERE id = :id"), {"id": 987_654})

    with pytest.raises(DBAPIError) as raised:
        await scratch_database.command(unit)
    assert "nonsense" in str(raised.value)
    assert "987" not in str(raised.value)


def _both_of(work: Work, first: int, second: int) -> int:
    increment(work, first)
    return increment(work, second)


async def test_a_deferred_violation_at_commit_fails_its_own_unit_alone(scratch_database: Database) -> None:
    def make(work: Work) -> None:
        work.connection.execute(
            sa.text(
                "CREATE TABLE child (id bigint PRIMARY KEY, "
                "parent_id bigint REFERENCES counter(id) DEFERRABLE INITIALLY DEFERRED)"
            )
        )

    def orphan(work: Work) -> None:
        increment(work)
        work.connection.execute(sa.text("INSERT INTO child (id, parent_id) VALUES (1, 99)"))

    await scratch_database.command(make)
    units = [scratch_database.command(unit) for unit in (increment, orphan, increment)]
    results = await asyncio.gather(*units, return_exceptions=True)
    assert [type(result).__name__ for result in results] == ["int", "IntegrityError", "int"]
    assert await scratch_database.command(value_of) == 2


async def test_listeners_hear_of_commits_that_wrote_events_and_of_no_others(scratch_database: Database) -> None:
    heard: list[int] = []
    scratch_database.on_commit(lambda _: heard.append(threading.get_ident()))

    def refuse(work: Work) -> None:
        work.record(EventRecord(topic="thing.changed"))
        raise Conflict("no")

    with pytest.raises(Conflict):
        await scratch_database.command(refuse)
    await scratch_database.command(increment)
    await asyncio.sleep(0)
    assert heard == []
    await scratch_database.command(lambda work: work.record(EventRecord(topic="thing.changed")))
    await asyncio.sleep(0)
    assert heard == [threading.get_ident()]


async def test_the_observer_sees_every_statement(
    database_url: str, clock: ManualClock, ids: CountingIds, request: pytest.FixtureRequest
) -> None:
    seen: list[str] = []
    database = await open_database(
        database_url, clock=clock, ids=ids, settings=request.getfixturevalue("settings"), observer=seen.append
    )
    try:
        await database.command(lambda work: work.connection.execute(sa.text("SELECT 1")).scalar_one())
        await database.command(lambda work: Fixed(sa.select(sa.literal_column("2"))).rows(work.connection))
        rows = await database.plan(_heads, snapshot=True, caller=1)
    finally:
        await database.close()
    assert seen == ["SELECT 1", "SELECT 2", HEADS.sql]
    assert rows == {"sqlite": 1, "postgresql": 64}[database.dialect.name]


def _heads():  # type: ignore[no-untyped-def]
    rows = yield HEADS
    return len(rows)


async def test_a_closed_database_refuses(
    database_url: str, clock: ManualClock, ids: CountingIds, request: pytest.FixtureRequest
) -> None:
    database = await open_database(database_url, clock=clock, ids=ids, settings=request.getfixturevalue("settings"))
    last = asyncio.create_task(database.command(lambda work: work.now))
    await asyncio.sleep(0)
    await database.close()
    assert await last == START
    with pytest.raises(Unavailable):
        await database.command(increment)


async def test_a_busy_file_is_waited_for(
    tmp_path: Path, clock: ManualClock, ids: CountingIds, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'busy.db'}"
    await migrate(url)
    database = await open_database(url, clock=clock, ids=ids, settings=request.getfixturevalue("settings"))
    other = sqlite3.connect(tmp_path / "busy.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        command = asyncio.create_task(database.command(lambda work: work.dialect_name))
        await asyncio.sleep(0.1)
        assert not command.done()
        other.execute("COMMIT")
        assert await command == "sqlite"
    finally:
        other.close()
        await database.close()


async def test_a_file_that_stays_busy_is_told_to_all_who_wait_at_once(
    tmp_path: Path,
    clock: ManualClock,
    ids: CountingIds,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.storage.engines.BUSY_TIMEOUT_MS", 50)
    url = f"sqlite:///{tmp_path / 'busy.db'}"
    await migrate(url)
    database = await open_database(url, clock=clock, ids=ids, settings=request.getfixturevalue("settings"))
    begun: list[str] = []
    driver = database._commands._driver  # type: ignore[attr-defined]
    driver.set_trace_callback(begun.append)
    other = sqlite3.connect(tmp_path / "busy.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        commands = [database.command(lambda work: work.dialect_name) for _ in range(20)]
        found = await asyncio.gather(*commands, return_exceptions=True)
        assert [type(each) for each in found] == [Unavailable] * 20
        assert begun == ["BEGIN IMMEDIATE"] * ATTEMPTS
        other.execute("COMMIT")
        assert await database.command(lambda work: work.dialect_name) == "sqlite"
    finally:
        other.close()
        await database.close()


async def test_acknowledged_means_visible_to_others(scratch_database: Database) -> None:
    await scratch_database.command(increment)

    def steps():  # type: ignore[no-untyped-def]
        rows = yield Query(str(sa.select(counter.c.value).order_by(counter.c.id)))
        return [value for (value,) in rows]

    assert await scratch_database.plan(steps, snapshot=False, caller=1) == [1, 0]


@pytest.fixture
def postgres_url(postgres_copies: Copies) -> Iterator[str]:
    with postgres_copies.fresh() as url:
        yield url


async def test_connections_that_stay_busy_are_waited_for_once(
    postgres_url: str, clock: ManualClock, ids: CountingIds, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.engines.LONGEST_WAIT", 0.05)
    few = settings.model_copy(update={"pool_size": 1})
    database = await open_database(postgres_url, clock=clock, ids=ids, settings=few)
    try:
        async with database._commands._async_engine.connect():  # type: ignore[attr-defined]
            with pytest.raises(Unavailable, match="busy"):
                await database.command(lambda work: work.now)
        assert await database.command(lambda work: work.now) == START
    finally:
        await database.close()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_a_command_that_waits_for_another_holds_up_the_end_for_a_moment_alone(
    scratch_database: Database,
    database_url: str,
    clock: ManualClock,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgresql, "LAST_SECONDS", 0.1)
    ending = await open_database(database_url, clock=clock, ids=CountingIds(), settings=settings)
    async with begun(database_url, "UPDATE counter SET value = value + 1 WHERE id = 1"):
        waiting = asyncio.create_task(ending.command(increment))
        await asyncio.sleep(0.1)
        async with asyncio.timeout(PATIENCE):
            await ending.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert await scratch_database.command(value_of) == 1


async def test_a_command_that_fails_after_its_caller_has_left_is_no_entry_in_the_log(
    scratch_database: Database,
) -> None:
    told: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context))
    started, go_on = threading.Event(), threading.Event()

    def refuse(work: Work) -> None:
        started.set()
        if work.dialect_name == "sqlite":
            assert go_on.wait(PATIENCE)
        else:
            work.connection.execute(sa.text("SELECT pg_sleep(0.2)"))
        raise Conflict("no")

    try:
        task = asyncio.create_task(scratch_database.command(refuse))
        assert await asyncio.to_thread(started.wait, PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        del task
        go_on.set()
        # Behind it.
        await scratch_database.command(increment)
        if scratch_database.dialect.name == "postgresql":
            commands = scratch_database._commands
            assert isinstance(commands, postgresql.PostgresqlCommands)
            while commands._running:
                await asyncio.wait(commands._running)
        gc.collect()
        await asyncio.sleep(0)
    finally:
        loop.set_exception_handler(None)
    assert told == []
