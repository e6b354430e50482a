"""Eras of the log: what is forgotten on both databases, and what PostgreSQL does with its partitions."""

import asyncio
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from app.core.errors import CursorExpired
from app.core.events import EventRecord, LoggedEvent
from app.destinations.repository import DestinationRepository
from app.settings import Settings
from app.storage.database import Database, Query, Row, Work
from app.storage.engines import asyncpg_arguments, parse_database_url
from app.storage.event_log import (
    AHEAD,
    ERAS,
    RAISED_BY,
    Cursor,
    Newest,
    check_cursor,
    forget_events,
    heads_cursor,
    heads_with_era,
    keep_partitions,
    logged,
    newest_era,
    read_after,
    renumber,
    standing,
    times_at,
)
from tests.conftest import ManualClock
from tests.serving import PATIENCE
from tests.storage.event_log.turning import begin_era, turn

pytestmark = pytest.mark.anyio

on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
RETENTION = timedelta(days=8)
PAUSE = timedelta(hours=12)
LANE = 64
"""An interaction whose events are in the first lane of either database."""

BEFORE_ERAS = (
    "WITH taken AS (UPDATE lane SET head = head + $2::bigint WHERE id = $1::bigint RETURNING head) "
    "INSERT INTO event_log (lane, position, at, topic, data) "
    "SELECT $1, taken.head, now(), 'old.version', '{}' FROM taken"
)
"""How a version without eras appends."""

PARTITIONS = (
    "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'event_log'::regclass ORDER BY inhrelid"
)


@pytest.fixture
def settings() -> Settings:
    return Settings(event_retention=RETENTION)


def record(work: Work, *interactions: int) -> None:
    for each in interactions:
        work.record(EventRecord(topic="thing.changed", interaction_id=each))


async def rows(database: Database, query: Query) -> Sequence[Row]:
    def steps() -> Any:
        return (yield query)

    found: Sequence[Row] = await database.plan(steps, snapshot=False, caller=1)
    return found


async def heads(database: Database) -> Sequence[Row]:
    return await rows(database, heads_with_era(database.dialect.name))


async def read(
    database: Database, cursor: Cursor, newest: Newest | None = None, limit: int = 1000
) -> list[LoggedEvent]:
    """All after the cursor, each lane in its order."""
    found: list[LoggedEvent] = []
    while page := [
        logged(row) for row in await rows(database, read_after(database.dialect.name, cursor, limit, newest))
    ]:
        found += page
        cursor = cursor.advance_all((each.lane, each.position) for each in page)
    return found


async def tidy(database: Database) -> None:
    """Run the chores to their ends."""
    for chore in (forget_events, keep_partitions):
        while await database.command(chore):
            pass


async def test_retention_refuses_the_same_cursors_on_both_databases(database: Database, clock: ManualClock) -> None:
    await begin_era(database)
    written = []
    for _ in range(36):
        written.append(clock.now)
        await database.command(record, LANE)
        clock.now += PAUSE
        await tidy(database)
        kept = next(number for number, at in enumerate(written, start=1) if at >= clock.now - RETENTION)
        now_at = await heads(database)
        assert tuple(now_at[0][:3]) == (0, len(written), kept)
        start = Cursor.start(len(now_at))
        for position in {0, max(kept - 2, 0), kept - 1, max(kept - 1, len(written) - 2), len(written)}:
            cursor = start.advance(0, position)
            if position < kept - 1:
                with pytest.raises(CursorExpired):
                    check_cursor(cursor, now_at)
                # Whoever reads on in spite of it finds a gap.
                query = read_after(database.dialect.name, cursor, 1000)
                assert next(logged(row).position for row in await rows(database, query)) == kept
                continue
            check_cursor(cursor, now_at)
            after = [*range(cursor.positions[0] + 1, len(written) + 1)]
            assert [each.position for each in await read(database, cursor)] == after
            assert [each.position for each in await read(database, cursor, newest_era(now_at))] == after
        moment = clock.now - RETENTION / 2
        before = max(kept - 1, sum(at < moment for at in written))
        assert (await database.command(_cursor_at, moment)).positions[0] == before
        if database.dialect.name == "postgresql":
            # One goes with retention, one is written, one is made ahead.
            assert len(await rows(database, Query(PARTITIONS))) <= ERAS + 3
            ((oldest,),) = await rows(database, Query("SELECT min(position) FROM event_log"))
            assert kept - oldest <= RETENTION / ERAS / PAUSE
    assert kept > RETENTION / PAUSE, "nothing was forgotten"

    await database.command(renumber)
    now_at = await heads(database)
    assert tuple(now_at[0][:3]) == (0, RAISED_BY + len(written), RAISED_BY + kept)
    cursor = start.raised(RAISED_BY).advance(0, RAISED_BY + kept - 1)
    await database.command(record, LANE)
    for newest in (None, newest_era(now_at)):
        found = [each.position - RAISED_BY for each in await read(database, cursor, newest)]
        assert found == [*range(kept, len(written) + 2)]


def _cursor_at(work: Work, moment: Any) -> Cursor:
    return work.use(DestinationRepository).cursor_at(moment)


async def test_entries_of_versions_old_and_new_are_read_once_while_eras_begin(database: Database) -> None:
    """Who follows knows late of a new era; who writes is in the middle of it."""
    is_sqlite = database.dialect.name == "sqlite"
    chance = random.Random(11)
    seen: list[LoggedEvent] = []
    cursor = heads_cursor(await heads(database))
    done = asyncio.Event()

    def append_as_before(work: Work) -> None:
        work.connection.exec_driver_sql(BEFORE_ERAS, (chance.randrange(64), 1))

    async def follow() -> None:
        nonlocal cursor
        looks, newest, last = 0, None, False
        while True:
            if looks % 20 == 0:
                newest = newest_era(await heads(database))
            looks += 1
            query = read_after(database.dialect.name, cursor, 7, newest)
            found = [logged(row) for row in await rows(database, query)]
            seen.extend(found)
            cursor = cursor.advance_all((each.lane, each.position) for each in found)
            if not found and last:
                return
            last = done.is_set()

    def writing() -> list[Any]:
        return [
            database.command(record, *(chance.randrange(1, 200) for _ in range(chance.randrange(1, 4))))
            if is_sqlite or chance.random() < 0.6
            else database.command(append_as_before)
            for _ in range(15)
        ]

    follower = asyncio.create_task(follow())
    for era in range(5):
        await asyncio.gather(*writing(), database.command(turn), *writing())
        *_, begun, _ = await asyncio.gather(*writing(), database.command(turn), asyncio.sleep(0))
        while not is_sqlite and begun == era:  # the lanes were held for too long, or the partition
            begun = await database.command(turn)
    done.set()
    await asyncio.wait_for(follower, PATIENCE)
    now_at = await heads(database)
    assert cursor == heads_cursor(now_at)
    for lane, head, *_ in now_at:
        assert [each.position for each in seen if each.lane == lane] == [*range(1, head + 1)]
    assert len(seen) == sum(row[1] for row in now_at) >= 225
    if not is_sqlite:
        # Each entry is in the partition of its era, from the era's first position on.
        misplaced = (
            "SELECT count(*) FROM event_log JOIN log_era USING (lane, era) LEFT JOIN log_era AS following "
            "ON following.lane = event_log.lane AND following.era = event_log.era + 1 "
            "WHERE position < log_era.first OR position >= following.first"
        )
        assert [tuple(row) for row in await rows(database, Query(misplaced))] == [(0,)]
        assert now_at[0][3] == 5


@pytest.fixture
async def eras(database: Database) -> Database:
    """Five eras of 128 entries each."""
    for era in range(5):
        if era:
            await begin_era(database)
        await database.command(record, *range(1, 129))
    return database


async def touched(database: Database, query: Query) -> set[str]:
    """The tables of which the statement reads rows or an index, as PostgreSQL counts them."""
    found = await rows(database, Query(f"EXPLAIN (ANALYZE, FORMAT JSON) {query.sql}", query.args))
    return set(_scanned(orjson.loads(found[0][0])[0]["Plan"]))


def _scanned(node: Mapping[str, Any]) -> Iterator[str]:
    if "Relation Name" in node and node["Actual Loops"]:
        yield node["Relation Name"]
    for each in node.get("Plans", ()):
        yield from _scanned(each)


@on_postgres
async def test_reads_touch_the_partition_that_their_cursor_leads_to_and_no_other(eras: Database) -> None:
    now_at = await heads(eras)
    head, newest = heads_cursor(now_at), newest_era(now_at)
    assert newest is not None
    assert newest.era == 4
    # The tail's statement knows no other partition, neither does that of a reader who is in the newest one.
    for cursor in (head, newest.begin):
        tail = read_after("postgresql", cursor, 62, newest)
        assert await touched(eras, tail) == {"event_log_4"}
        assert "log_era" not in tail.sql
    ((first,),) = await rows(eras, Query("SELECT DISTINCT first FROM log_era WHERE era = 3 AND lane > 0"))
    for cursor in (Cursor((first - 1,) * 64), newest.begin.advance(9, first)):
        found = read_after("postgresql", Cursor((*cursor.positions[:9], first, *cursor.positions[10:])), 62, newest)
        assert await touched(eras, found) == {"lane", "log_era", "event_log_3"}
    places = [(lane, first) for lane in range(64)]
    assert await touched(eras, times_at("postgresql", places)) == {"log_era", "event_log_3"}
    history = Query("SELECT * FROM interaction_history WHERE interaction_id = 1 ORDER BY position DESC LIMIT 20")
    assert await touched(eras, history) == {f"event_log_{era}" for era in range(5)}


@on_postgres
async def test_partition_that_is_read_is_dropped_later_and_nobody_waits(
    eras: Database, database_url: str, clock: ManualClock
) -> None:
    async def partitions() -> list[str]:
        return sorted([row[0] for row in await rows(eras, Query(PARTITIONS))])

    before = await partitions()
    clock.now += 2 * RETENTION
    reader = await asyncpg.connect(**asyncpg_arguments(parse_database_url(database_url)))
    try:
        await reader.execute("BEGIN; SELECT count(*) FROM event_log")
        await tidy(eras)
        await tidy(eras)
        # The partition is there; what it holds is out of reach, and a new era has begun beside it.
        assert await partitions() == [*before, "event_log_5"]
        await eras.command(record, LANE)
        assert (await eras.command(lambda work: standing(work.connection))).era == 5
        with pytest.raises(CursorExpired):
            check_cursor(Cursor.start(64), await heads(eras))
        await reader.execute("COMMIT")
        await tidy(eras)
        assert await partitions() == ["event_log_5"]
    finally:
        await reader.close()


@on_postgres
async def test_era_begins_when_it_is_due_and_not_in_the_minute_its_partition_is_made(
    database: Database, clock: ManualClock
) -> None:
    async def stands() -> tuple[int, bool]:
        found = await database.command(lambda work: standing(work.connection))
        return found.era, found.has_next

    era = RETENTION / ERAS
    await begin_era(database)
    steps = [
        (era * (1 - AHEAD) - timedelta(seconds=1), (1, False)),
        (timedelta(seconds=1), (1, True)),
        (era * AHEAD - timedelta(seconds=1), (1, True)),
        (timedelta(seconds=1), (2, False)),
        # Long after: its partition is made first.
        (3 * era, (2, True)),
        (timedelta(minutes=1), (3, False)),
        (timedelta(minutes=1), (3, False)),
    ]
    for passed, expected in steps:
        clock.now += passed
        await database.command(keep_partitions)
        assert await stands() == expected
