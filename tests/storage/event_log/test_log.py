"""Writing and reading the event log."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from app.core.errors import CursorExpired, InvalidCursor
from app.core.events import EventRecord, LoggedEvent
from app.storage.database import Database, Row, Work
from app.storage.event_log import (
    HEADS,
    Cursor,
    check_cursor,
    heads_cursor,
    lane_of,
    merged,
    parse_cursor,
    prune,
    read_after,
)
from tests.conftest import START, ManualClock
from tests.serving import PATIENCE

pytestmark = pytest.mark.anyio

FULL = EventRecord(
    topic="chat_session.transferred",
    kind="chat_session",
    interaction_id=70,
    customer_id=8,
    assignee_id=9,
    actor_id=10,
    client_mutation_id="é-1",
    version=4,
    level_before=3,
    level_after=None,
    data={"assignee": [None, 9], "note": {"x": "é"}},
)


def record(work: Work, *events: EventRecord) -> None:
    for event in events:
        work.record(event)


async def heads(database: Database) -> Sequence[Row]:
    def steps() -> Any:
        return (yield HEADS)

    rows: Sequence[Row] = await database.plan(steps, snapshot=False, caller=1)
    return rows


async def read(database: Database, cursor: Cursor, limit: int = 1000) -> list[LoggedEvent]:
    def steps() -> Any:
        rows = yield read_after(database.dialect.name, cursor, limit)
        return list(merged(rows))

    events: list[LoggedEvent] = await database.plan(steps, snapshot=False, caller=1)
    return events


async def test_a_new_log_is_empty(database: Database) -> None:
    lanes = 1 if database.dialect.name == "sqlite" else 64
    assert [tuple(row) for row in await heads(database)] == [(lane, 0, 1) for lane in range(lanes)]
    assert await read(database, Cursor.start(lanes)) == []


async def test_an_event_comes_back_whole(database: Database) -> None:
    await database.command(record, FULL)
    lanes = len(await heads(database))
    assert await read(database, Cursor.start(lanes)) == [LoggedEvent(lane=70 % lanes, position=1, at=START, event=FULL)]


async def test_both_roads_read_the_same(database: Database) -> None:
    await database.command(record, FULL, EventRecord(topic="user.added", actor_id=3), EventRecord(topic="store.made"))
    start = Cursor.start(len(await heads(database)))
    query = read_after(database.dialect.name, start, 1000)

    def on_command(work: Work) -> list[LoggedEvent]:
        return list(merged(work.connection.exec_driver_sql(query.sql, tuple(query.args))))

    assert await database.command(on_command) == await read(database, start)


@pytest.mark.parametrize(
    ("event", "lane"),
    [
        (EventRecord(topic="a", interaction_id=65, customer_id=2), 1),
        (EventRecord(topic="a", customer_id=66, actor_id=3), 2),
        (EventRecord(topic="a", assignee_id=67, actor_id=4), 3),
        (EventRecord(topic="a", actor_id=68), 4),
        (EventRecord(topic="a"), 0),
    ],
)
def test_the_lane_of_an_event(event: EventRecord, lane: int) -> None:
    assert lane_of(event, 64) == lane


async def test_a_unit_keeps_its_order_in_each_lane(database: Database) -> None:
    events = [EventRecord(topic=f"thing.{number}", interaction_id=number % 3) for number in range(12)]
    await database.command(record, *events)
    found = await read(database, Cursor.start(len(await heads(database))))
    for interaction in range(3):
        topics = [entry.event.topic for entry in found if entry.event.interaction_id == interaction]
        assert topics == [f"thing.{number}" for number in range(12) if number % 3 == interaction]


async def test_positions_have_no_gaps_and_no_reader_misses_one(database: Database) -> None:
    """Writers of one to three events in random lanes, some refused, while a reader follows by its cursor."""
    chance = random.Random(7)
    written = 0

    def write(work: Work, count: int, refuse: bool) -> int:
        record(
            work, *(EventRecord(topic="thing.changed", interaction_id=chance.randrange(1, 200)) for _ in range(count))
        )
        if refuse:
            raise ValueError("refused")
        return count

    seen: list[LoggedEvent] = []
    cursor = Cursor.start(len(await heads(database)))
    done = asyncio.Event()

    async def follow() -> None:
        nonlocal cursor
        last = False
        while True:
            found = await read(database, cursor, limit=7)
            seen.extend(found)
            cursor = cursor.advance_all((entry.lane, entry.position) for entry in found)
            if not found and last:
                return
            last = done.is_set()
            await asyncio.sleep(0)

    follower = asyncio.create_task(follow())
    for _ in range(10):
        results = await asyncio.gather(
            *(database.command(write, chance.randrange(1, 4), chance.random() < 0.2) for _ in range(30)),
            return_exceptions=True,
        )
        written += sum(result for result in results if isinstance(result, int))
    done.set()
    await asyncio.wait_for(follower, PATIENCE)
    assert len(seen) == written
    for lane, head, _ in await heads(database):
        assert [entry.position for entry in seen if entry.lane == lane] == list(range(1, head + 1))
    assert cursor == heads_cursor(await heads(database))


async def test_a_cursor_older_than_the_log_is_told(database: Database, clock: ManualClock) -> None:
    for _ in range(5):
        await database.command(record, EventRecord(topic="thing.changed", interaction_id=64))
        clock.advance(60)
    lanes = len(await heads(database))
    start, seen_two = Cursor.start(lanes), Cursor.start(lanes).advance(0, 2)
    check_cursor(start, await heads(database))

    assert await database.command(lambda work: prune(work.connection, 0, START + timedelta(seconds=150), 10)) == 3
    rows = await heads(database)
    assert tuple(rows[0]) == (0, 5, 4)
    for expired in (start, seen_two):
        with pytest.raises(CursorExpired):
            check_cursor(expired, rows)
    check_cursor(seen_two.advance(0, 3), rows)
    assert [entry.position for entry in await read(database, seen_two.advance(0, 3))] == [4, 5]


async def test_forgetting_is_bounded_and_may_empty_a_lane(database: Database, clock: ManualClock) -> None:
    await database.command(record, *(EventRecord(topic="thing.changed") for _ in range(5)))
    clock.advance(1)

    def forget(work: Work) -> int:
        return prune(work.connection, 0, work.now, limit=2)

    assert [await database.command(forget) for _ in range(4)] == [2, 2, 1, 0]
    assert tuple((await heads(database))[0]) == (0, 5, 6)
    check_cursor(heads_cursor(await heads(database)), await heads(database))
    await database.command(record, EventRecord(topic="thing.changed"))
    assert tuple((await heads(database))[0]) == (0, 6, 6)


async def test_a_cursor_of_another_log_is_refused(database: Database) -> None:
    rows = await heads(database)
    for foreign in (Cursor.start(len(rows) + 1), Cursor.start(len(rows)).advance(0, 1)):
        with pytest.raises(InvalidCursor):
            check_cursor(parse_cursor(str(foreign)), rows)


def test_merging_goes_by_time_and_keeps_each_lane() -> None:
    def entry(lane: int, position: int, second: int) -> Row:
        return (lane, position, START + timedelta(seconds=second), "thing.changed", *(None,) * 9, "{}")

    first, backwards, third = entry(0, 1, 10), entry(0, 2, 5), entry(0, 3, 30)
    early, late = entry(1, 1, 7), entry(1, 2, 20)
    found = [(each.lane, each.position) for each in merged([first, backwards, third, early, late])]
    assert found == [(1, 1), (0, 1), (0, 2), (1, 2), (0, 3)]
    assert list(merged([])) == []
