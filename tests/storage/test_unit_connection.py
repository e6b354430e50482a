"""Units on PostgreSQL take few round trips, and see and guard what they would with many."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.util import await_only

from app.core.errors import Conflict, OutcomeUnknown
from app.core.events import EventRecord
from app.storage.database import Database, Work
from app.storage.deferring import DeferringConnection, Write
from app.storage.event_log import event_log
from app.storage.fixed import Fixed, write_together
from app.storage.locking import LockingRead
from app.storage.unit_connection import together
from tests.postgres import round_trips
from tests.storage.conftest import blocked, counter, increment, locked, pointer, sample, value_of

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("database_url", ["postgres"], indirect=True)]

KEY: sa.BindParameter[int] = sa.bindparam("key")
BY_ID = LockingRead(sa.select(counter.c.value).where(counter.c.id == KEY), [counter])
VALUE = Fixed(sa.select(counter.c.value).where(counter.c.id == KEY))
SET = Fixed(sa.update(counter).where(counter.c.id == KEY))
NAME = Fixed(sa.update(sample).where(sample.c.id == KEY))
DROP = Fixed(sa.delete(sample).where(sample.c.id == KEY))
POINTER = LockingRead(sa.select(pointer.c.counter_id).where(pointer.c.id == KEY), [pointer])
POINT = Fixed(sa.update(pointer).where(pointer.c.id == KEY))
HAPPENED = EventRecord(topic="thing.changed", interaction_id=1)


def bump(work: Work, key: int = 1, *, meanwhile: Callable[[], object] = lambda: None, told: bool = True) -> int:
    """Read a row, and write it."""
    row = BY_ID.row(work.connection, key)
    assert row is not None
    meanwhile()
    SET.write(work.connection, {"key": key, "value": row[0] + 1})
    if told:
        work.record(HAPPENED)
    return int(row[0] + 1)


def _events(work: Work) -> list[int]:
    found = sa.select(event_log.c.position).where(event_log.c.topic == "thing.changed").order_by(event_log.c.position)
    return list(work.connection.execute(found).scalars())


@pytest.mark.parametrize("told", [True, False])
async def test_unit_that_reads_one_row_and_writes_takes_two_round_trips(scratch_database: Database, told: bool) -> None:
    def both(work: Work) -> None:
        bump(work, told=told)
        NAME.write(work.connection, {"key": 1, "name": "x"})

    await scratch_database.command(both)
    async with round_trips(scratch_database) as seen:
        await scratch_database.command(both)
    assert [each.split()[0] for each in seen] == ["SELECT", "WITH"]
    assert await scratch_database.command(value_of) == 2
    assert await scratch_database.command(_events) == ([1, 2] if told else [])


async def test_unit_that_only_reads_or_only_tells_takes_one_round_trip(scratch_database: Database) -> None:
    for unit in (lambda work: BY_ID.row(work.connection, 1), lambda work: work.record(HAPPENED)):
        async with round_trips(scratch_database) as seen:
            await scratch_database.command(unit)
        assert len(seen) == 1


async def test_unit_that_reads_twice_locks_with_the_beginning_of_its_transaction(scratch_database: Database) -> None:
    def unit(work: Work) -> tuple[int, ...]:
        bumped = bump(work)
        # The write that was kept is seen.
        return bumped, *(row.value for row in VALUE.rows(work.connection, {"key": 1}))

    async with round_trips(scratch_database) as seen:
        assert await scratch_database.command(unit) == (1, 1)
    assert [each.split()[0] for each in seen] == ["SELECT", "BEGIN", "UPDATE", "SELECT", "WITH", "COMMIT"]
    assert "FOR UPDATE" in seen[1]
    assert await scratch_database.command(_events) == [1]


@pytest.mark.parametrize("reads_again", [False, True])
async def test_unit_whose_row_was_changed_meanwhile_starts_again_and_locks_first(
    scratch_database: Database, reads_again: bool
) -> None:
    starts = 0

    def overtaken(work: Work) -> int:
        nonlocal starts
        starts += 1

        def meanwhile() -> None:
            if starts == 1:
                await_only(scratch_database.command(increment))
            if reads_again:
                VALUE.rows(work.connection, {"key": 2})

        return bump(work, meanwhile=meanwhile)

    async with round_trips(scratch_database) as seen:
        assert await scratch_database.command(overtaken) == 2
    assert starts == 2
    assert "FOR UPDATE" in [each for each in seen if each.startswith("SELECT")][-1 - reads_again]
    assert (await scratch_database.command(value_of), await scratch_database.command(_events)) == (2, [1])
    assert scratch_database.tally.retries == 1


async def test_unit_that_does_not_look_at_being_overtaken_changes_nothing(scratch_database: Database) -> None:
    def careless(work: Work) -> None:
        def meanwhile() -> None:
            if await_only(scratch_database.command(value_of)) == 0:
                await_only(scratch_database.command(increment))

        try:
            bump(work, meanwhile=meanwhile)
            VALUE.rows(work.connection, {"key": 1})
        except Exception:
            work.events.clear()

    await scratch_database.command(careless)
    assert await scratch_database.command(value_of) == 2


async def test_units_on_one_row_lose_none_of_their_writes_and_events(scratch_database: Database) -> None:
    values = await asyncio.gather(*(scratch_database.command(bump) for _ in range(60)))
    assert sorted(values) == list(range(1, 61))
    assert await scratch_database.command(_events) == list(range(1, 61))


async def test_unit_that_is_refused_leaves_no_write_behind(scratch_database: Database) -> None:
    def refused(work: Work) -> None:
        bump(work)
        raise Conflict("no")

    with pytest.raises(Conflict):
        await scratch_database.command(refused)
    assert (await scratch_database.command(value_of), await scratch_database.command(_events)) == (0, [])


async def test_events_of_two_lanes_and_the_writes_are_one_transaction(scratch_database: Database) -> None:
    def unit(work: Work, value: object) -> None:
        bump(work)
        work.record(EventRecord(topic="thing.changed", interaction_id=2))
        SET.write(work.connection, {"key": 2, "value": value})
        NAME.write(work.connection, {"key": 1, "name": value if isinstance(value, str) else "x"})

    await scratch_database.command(unit, 7)
    assert (await scratch_database.command(value_of), await scratch_database.command(value_of, 2)) == (1, 7)
    assert await scratch_database.command(_events) == [1, 1]


async def test_two_writes_of_one_table_are_done_one_after_the_other(scratch_database: Database) -> None:
    def unit(work: Work) -> None:
        bump(work)
        SET.write(work.connection, {"key": 1, "value": 5})

    await scratch_database.command(unit)
    assert await scratch_database.command(value_of) == 5


async def test_writes_that_were_kept_in_a_savepoint_go_with_it(scratch_database: Database) -> None:
    def unit(work: Work) -> None:
        SET.write(work.connection, {"key": 1, "value": 3})
        nested = work.connection.begin_nested()
        SET.write(work.connection, {"key": 2, "value": 4})
        nested.rollback()
        with work.connection.begin_nested():
            NAME.write(work.connection, {"key": 1, "name": "kept"})

    async with round_trips(scratch_database) as seen:
        await scratch_database.command(unit)
    assert (await scratch_database.command(value_of), await scratch_database.command(value_of, 2)) == (3, 0)
    assert sum(each.startswith("UPDATE sample") for each in seen) == 1


@pytest.mark.parametrize(
    "read",
    [
        lambda connection: connection.execute(sa.select(counter.c.value).where(counter.c.id == 1)).scalar_one(),
        lambda connection: connection.scalar(sa.select(counter.c.value).where(counter.c.id == 1)),
        lambda connection: connection.scalars(sa.select(counter.c.value).where(counter.c.id == 1)).one(),
        lambda connection: connection.exec_driver_sql("SELECT value FROM counter WHERE id = 1").scalar_one(),
        lambda connection: next(iter(BY_ID.row(connection, 1) or ())),
    ],
    ids=["execute", "scalar", "scalars", "text of the driver", "locking"],
)
async def test_whatever_reads_sees_the_writes_that_were_kept(
    scratch_database: Database, read: Callable[[sa.Connection], int]
) -> None:
    def unit(work: Work) -> int:
        SET.write(work.connection, {"key": 1, "value": 9})
        return read(work.connection)

    assert await scratch_database.command(unit) == 9


async def test_unit_that_goes_on_after_a_refused_statement_does_not_pass_for_done(scratch_database: Database) -> None:
    def careless(work: Work) -> None:
        work.connection.execute(sa.update(counter).values(value=7))
        with suppress(IntegrityError):
            work.connection.execute(sa.insert(counter).values(id=1))

    with pytest.raises(RuntimeError, match="nothing was changed"):
        await scratch_database.command(careless)
    assert await scratch_database.command(value_of) == 0


async def test_write_that_violates_a_constraint_undoes_its_unit(scratch_database: Database) -> None:
    def make(work: Work) -> None:
        work.connection.execute(sa.insert(sample), [{"name": "once"}, {"name": "other"}])

    def unit(work: Work) -> None:
        bump(work)
        NAME.write(work.connection, {"key": 2, "name": "once"})

    await scratch_database.command(make)
    with pytest.raises(IntegrityError):
        await scratch_database.command(unit)
    assert (await scratch_database.command(value_of), await scratch_database.command(_events)) == (0, [])


async def test_connection_that_is_lost_with_the_last_statement_leaves_the_outcome_unknown(
    scratch_database: Database,
) -> None:
    def unit(work: Work) -> None:
        bump(work)
        assert isinstance(work.connection, DeferringConnection)
        ended = "DELETE FROM sample WHERE (SELECT pg_terminate_backend(pg_backend_pid()))"
        work.connection.defer([Write("sample", ended, [])])

    with pytest.raises(OutcomeUnknown):
        await scratch_database.command(unit)
    assert (await scratch_database.command(value_of), await scratch_database.command(_events)) == (0, [])


async def test_unit_whose_statement_has_become_old_starts_again(scratch_database: Database) -> None:
    def alter(work: Work) -> None:
        work.connection.execute(sa.text("ALTER TABLE counter ALTER COLUMN value TYPE integer"))

    await scratch_database.command(bump)
    await scratch_database.command(alter)
    assert await scratch_database.command(bump) == 2
    assert await scratch_database.command(_events) == [1, 2]


def _together(work: Work) -> None:
    write_together(work.connection, [(NAME, {"key": 1, "name": "x"}), (DROP, {"key": 2})])


async def test_writes_that_do_not_meet_are_one_statement_though_they_are_of_one_table(
    scratch_database: Database,
) -> None:
    async with round_trips(scratch_database) as seen:
        await scratch_database.command(_together)
    assert [each.split()[0] for each in seen] == ["WITH"]


@pytest.mark.parametrize("reads_again", [False, True])
async def test_unit_that_waits_for_a_row_that_it_names_has_not_taken_its_lane(
    scratch_database: Database, database_url: str, reads_again: bool
) -> None:
    def point(work: Work) -> None:
        POINTER.row(work.connection, 1)
        if reads_again:
            VALUE.rows(work.connection, {"key": 1})
        POINT.write(work.connection, {"key": 1, "counter_id": 2})
        work.record(HAPPENED)

    async with locked(database_url, 2) as other:
        pointing = asyncio.create_task(scratch_database.command(point))
        assert await blocked(other, 1) == 1
        await other.execute(sa.text("SELECT FROM lane WHERE id = 1 FOR UPDATE NOWAIT"))
    await pointing
    assert await scratch_database.command(_events) == [1]


async def test_parameters_of_one_statement_are_numbered_through(database_url: str) -> None:
    sql = together(
        "SELECT 1 FROM a WHERE id = {} AND x = {}", (("UPDATE b SET y = $1 WHERE z = $2 AND w = $1",),), "I $1, $2"
    )
    assert sql == (
        "WITH held AS (SELECT 1 FROM a WHERE id = $1 AND x = $2), "
        "write_0 AS (UPDATE b SET y = $3 WHERE z = $4 AND w = $3 AND EXISTS (SELECT FROM held)), "
        "taken AS (UPDATE lane SET head = head + $6::bigint WHERE id = $5::bigint AND EXISTS (SELECT FROM held) "
        "RETURNING head, era) I $5, $6"
    )
    named = ("UPDATE b SET y = $1 WHERE z = $2", "SELECT 1 FROM a WHERE id = $1")
    assert together(None, (named, named), "I $1, $2") == (
        "WITH named_0 AS (SELECT 1 FROM a WHERE id = $1 FOR KEY SHARE), write_0 AS (UPDATE b SET y = $1 WHERE z = $2), "
        "named_1 AS (SELECT 1 FROM a WHERE id = $3 FOR KEY SHARE), write_1 AS (UPDATE b SET y = $3 WHERE z = $4), "
        "taken AS (UPDATE lane SET head = head + $6::bigint WHERE id = $5::bigint "
        "AND (SELECT count(*) FROM named_0) >= 0 AND (SELECT count(*) FROM named_1) >= 0 RETURNING head, era) I $5, $6"
    )
    with pytest.raises(ValueError, match="without OR"):
        together("SELECT 1", (("UPDATE b SET y = 1 WHERE z = $1 OR w = $1",),), "I $1, $2")
