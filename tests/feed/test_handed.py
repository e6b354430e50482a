"""Events that this process commits are not read back, and nothing is lost or doubled for it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from app.core.errors import DomainError
from app.core.events import EventRecord
from app.feed.handed import Handed
from app.settings import Settings
from app.storage.database import Database, Row, Work, open_database
from app.storage.event_log import Appended, Cursor, lane_of
from tests.conftest import START, CountingIds, ManualClock
from tests.feed.test_tail import record, tailing
from tests.serving import eventually

ENTRY = (START,)


def appended(lane: int, first: int, *topics: str) -> Appended:
    return Appended(lane, first, [(EventRecord(topic=topic), ENTRY) for topic in topics])


def topics(handed: Handed, *positions: int, most: int = 100) -> Sequence[str]:
    return [each.event.topic for each in handed.after(Cursor(positions), most)]


def test_what_follows_the_cursor_is_taken_once() -> None:
    handed = Handed()
    handed.add([appended(0, 6, "a", "b")])
    handed.add([appended(0, 8, "c")])
    assert topics(handed, 5, most=1) == ["a", "b"]
    assert len(handed) == 1
    assert topics(handed, 7) == ["c"]
    assert topics(handed, 5) == []
    assert not handed


def test_nothing_is_taken_after_a_gap() -> None:
    handed = Handed()
    handed.add([appended(0, 7, "b")])
    assert topics(handed, 5) == []
    assert len(handed) == 1
    handed.add([appended(0, 6, "a")])
    assert topics(handed, 5) == ["a", "b"]


def test_what_was_read_meanwhile_is_dropped() -> None:
    handed = Handed()
    handed.add([appended(0, 6, "a", "b", "c")])
    assert topics(handed, 7) == ["c"]
    handed.add([appended(0, 6, "a", "b", "c")])
    assert topics(handed, 8) == []
    assert not handed
    handed.add([appended(0, 6, "a", "b"), appended(0, 10, "e")])
    assert topics(handed, 9) == ["e"]


def test_each_lane_is_followed_for_itself() -> None:
    handed = Handed()
    handed.add([appended(1, 3, "b"), appended(0, 6, "a"), appended(2, 9, "far")])
    assert topics(handed, 5, 2, 4) == ["a", "b"]
    assert len(handed) == 1
    assert topics(handed, 6, 3, 8) == ["far"]


def test_the_order_is_that_of_positions_and_of_times_between_lanes() -> None:
    handed = Handed()
    late = (START + timedelta(seconds=1),)
    handed.add([Appended(0, 7, [(EventRecord(topic="third"), late)])])
    handed.add([Appended(0, 6, [(EventRecord(topic="first"), ENTRY)])])
    handed.add([Appended(1, 3, [(EventRecord(topic="second"), ENTRY)])])
    assert topics(handed, 5, 2) == ["first", "second", "third"]


def test_they_are_bounded() -> None:
    handed = Handed()
    handed.add([appended(0, 1, *"a" * 5_001)])
    handed.add([appended(0, 5_002, "b")])
    assert len(handed) == 1
    assert topics(handed, 5_001) == ["b"]


class Reads:
    """The statements that read the log's entries."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, sql: str) -> None:
        self.count += sql.startswith("SELECT") and " event_log" in sql


@pytest.mark.anyio
async def test_own_events_are_not_read_back(database_url: str, clock: ManualClock, settings: Settings) -> None:
    reads = Reads()
    database = await open_database(database_url, clock=clock, ids=CountingIds(), settings=settings, observer=reads)
    async with tailing(database, database_url, clock, pace=0.0) as (feed, heard):
        start = feed.head
        await database.command(record, "first")
        await eventually(lambda: len(heard.entries) == 1)
        await asyncio.sleep(0.3)  # the hint of that change, which SQLite gives the process itself
        before = reads.count
        for number in range(20):
            await database.command(record, f"a{number}", f"b{number}", interaction=number)
            await eventually(lambda: len(heard.entries) == 3 + 2 * number)  # noqa: B023 - awaited at once
        assert reads.count - before <= (0 if database.dialect.name == "postgresql" else 10)
        read = await feed.since(start, 500, "caller")
        told = sorted((each.logged for each in heard.entries), key=lambda logged: logged[:2])
        assert told == sorted((each.logged for each in read.entries), key=lambda logged: logged[:2])
        assert heard.entries[-1].cursor == read.cursor == feed.head
    await database.close()


class Silent:
    """Wake-ups that come when a test wants one."""

    def __init__(self) -> None:
        self.wake: Callable[[], None] = lambda: None

    def tell(self) -> None:
        pass

    async def run(self, wake: Callable[[], None]) -> None:
        self.wake = wake
        await asyncio.Event().wait()


@pytest.mark.anyio
async def test_what_others_commit_in_between_is_read_in_its_place(
    database: Database, database_url: str, clock: ManualClock, settings: Settings
) -> None:
    other = await open_database(database_url, clock=clock, ids=CountingIds(), settings=settings)
    async with tailing(database, database_url, clock, wakeups=Silent(), poll_seconds=3_600.0) as (_, heard):
        for number in range(10):
            await other.command(record, f"other {number}")
            await database.command(record, f"own {number}")
            await eventually(lambda: len(heard.entries) == 2 * number + 2)  # noqa: B023 - awaited at once
    assert heard.topics == [f"{whose} {number}" for number in range(10) for whose in ("other", "own")]
    assert [each.logged.position for each in heard.entries] == list(range(1, 21))
    await other.close()


@pytest.mark.anyio
async def test_what_follows_a_gap_is_read_together_with_what_came_before_it(
    database: Database, database_url: str, clock: ManualClock, settings: Settings
) -> None:
    other = await open_database(database_url, clock=clock, ids=CountingIds(), settings=settings)
    given = tailing(database, database_url, clock, wakeups=Silent(), poll_seconds=3_600.0, pace=0.5)
    async with given as (_, heard):
        await database.command(record, "first")
        await eventually(lambda: heard.topics == ["first"])
        await database.command(record, "own")
        await other.command(record, "other")
        await database.command(record, "own again")
        await eventually(lambda: len(heard.entries) == 4)
    assert heard.topics == ["first", "own", "other", "own again"]
    await other.close()


@pytest.mark.anyio
async def test_what_is_committed_while_the_feed_begins_is_read(
    database: Database, database_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tailing(database, database_url, clock, wakeups=Silent(), poll_seconds=3_600.0, is_held=False)
    async with given as (feed, heard):
        async with feed.held():
            await database.command(record, "first")
            await eventually(lambda: heard.topics == ["first"])
        await eventually(lambda: not feed.positions)
        read = feed._log.heads

        async def late() -> Sequence[Row]:
            heads = await read()
            await database.command(record, "meanwhile")
            return heads

        monkeypatch.setattr(feed._log, "heads", late)
        async with feed.held():
            await eventually(lambda: heard.topics == ["first", "meanwhile"])


@pytest.mark.anyio
async def test_what_others_commit_is_found_without_a_hint_by_looking(
    database: Database, database_url: str, clock: ManualClock, settings: Settings
) -> None:
    other = await open_database(database_url, clock=clock, ids=CountingIds(), settings=settings)
    async with tailing(database, database_url, clock, wakeups=Silent(), poll_seconds=0.05) as (_, heard):
        for number in range(4):
            await other.command(record, str(number))
            await eventually(lambda: len(heard.entries) == number + 1)  # noqa: B023 - awaited at once
    assert heard.topics == [str(number) for number in range(4)]
    await other.close()


@pytest.mark.anyio
async def test_one_hint_is_enough_for_more_than_is_read_at_once(
    database: Database, database_url: str, clock: ManualClock, settings: Settings
) -> None:
    other, hints = await open_database(database_url, clock=clock, ids=CountingIds(), settings=settings), Silent()
    async with tailing(database, database_url, clock, wakeups=hints, poll_seconds=3_600.0) as (_, heard):
        await database.command(record, "first")
        await eventually(lambda: heard.topics == ["first"])
        await other.command(record, *["more"] * 1_200)
        hints.wake()
        await eventually(lambda: len(heard.entries) == 1_201)
        assert heard.batches >= 4
    await other.close()


@pytest.mark.anyio
async def test_commits_at_once_arrive_once_and_in_order(
    database: Database, database_url: str, clock: ManualClock, settings: Settings
) -> None:
    other = await open_database(database_url, clock=clock, ids=CountingIds(), settings=settings)
    async with tailing(database, database_url, clock, pace=0.001, poll_seconds=0.05) as (_, heard):
        for number in range(10):
            await asyncio.gather(
                *(database.command(record, f"{number}", interaction=each) for each in range(20)),
                *(other.command(record, f"{number}", interaction=each) for each in range(5)),
            )
        await eventually(lambda: len(heard.entries) == 250)
    places = [(each.logged.lane, each.logged.position) for each in heard.entries]
    assert len(set(places)) == 250
    for lane in {lane for lane, _ in places}:
        positions = [position for number, position in places if number == lane]
        assert positions == list(range(positions[0], positions[0] + len(positions)))
    await other.close()


@pytest.mark.anyio
async def test_a_unit_that_is_refused_hands_nothing_over(
    database: Database, database_url: str, clock: ManualClock
) -> None:
    def refused(work: Work) -> None:
        record(work, "never")
        raise DomainError("no")

    async with tailing(database, database_url, clock) as (_, heard):
        results = await asyncio.gather(
            database.command(record, "a"),
            database.command(refused),
            database.command(record, "b"),
            return_exceptions=True,
        )
        assert [type(each) for each in results] == [type(None), DomainError, type(None)]
        await eventually(lambda: len(heard.entries) == 2)
        assert sorted(heard.topics) == ["a", "b"]


@pytest.mark.anyio
async def test_events_of_several_lanes_are_handed_over_with_their_places(
    database: Database, database_url: str, clock: ManualClock
) -> None:
    def several(work: Work) -> None:
        for number in range(12):
            record(work, f"{number}", f"{number} again", interaction=number)

    async with tailing(database, database_url, clock) as (feed, heard):
        lanes = len(feed.positions)
        await database.command(several)
        await eventually(lambda: len(heard.entries) == 24)
        for each in heard.entries:
            assert each.logged.lane == lane_of(each.event, lanes)
        assert Cursor(tuple(feed.positions)) == feed.head


@pytest.mark.anyio
async def test_an_event_that_would_be_read_back_as_another_fails_its_test(database: Database) -> None:
    """So no test of this project passes with one: the process itself would tell it otherwise than all others do."""

    def other_when_read(work: Work) -> None:
        work.record(EventRecord(topic="a", data={"numbers": (1, 2)}))

    with pytest.raises(AssertionError, match="is read back as"):
        await database.command(other_when_read)
