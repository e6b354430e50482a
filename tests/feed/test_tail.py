"""The tail on both databases: everything once, in order, and never a gap without a word."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from app.core.errors import CursorExpired, InvalidCursor
from app.core.events import EventRecord
from app.feed import Entry, Feed, Wakeups, wakeups_for
from app.settings import Settings
from app.storage.database import Database, Work, open_database
from app.storage.event_log import Cursor, event_log, lane, prune
from tests.conftest import START, CountingIds, ManualClock
from tests.serving import PATIENCE, eventually
from tests.silence import SILENCE, network_to

pytestmark = pytest.mark.anyio


class Heard:
    """What the tail handed on."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.batches = 0
        self.losses = 0

    def heard(self, entries: Sequence[Entry]) -> None:
        self.entries.extend(entries)
        self.batches += 1

    def lost(self) -> None:
        self.losses += 1

    @property
    def topics(self) -> list[str]:
        return [entry.event.topic for entry in self.entries]


def record(work: Work, *topics: str, interaction: int | None = 1) -> None:
    for topic in topics:
        work.record(EventRecord(topic=topic, interaction_id=interaction))


@asynccontextmanager
async def tailing(
    database: Database,
    url: str,
    clock: ManualClock,
    *,
    poll_seconds: float = 30.0,
    pace: float = 0.01,
    wakeups: Wakeups | None = None,
    is_held: bool = True,
) -> AsyncIterator[tuple[Feed, Heard]]:
    hints = wakeups_for(url) if wakeups is None else wakeups
    feed, heard = Feed(database, hints, clock, poll_seconds=poll_seconds, pace=pace), Heard()
    feed.listen(heard)
    task = asyncio.create_task(feed.run())
    try:
        async with feed.held() if is_held else nullcontext():
            yield feed, heard
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_commits_of_this_process_arrive_at_once(
    database: Database, database_url: str, clock: ManualClock
) -> None:
    await database.command(record, "before")
    async with tailing(database, database_url, clock) as (feed, heard):
        start = feed.head
        await database.command(record, "a", "b")
        await database.command(record, "c", interaction=2)
        await eventually(lambda: len(heard.entries) == 3)
        assert heard.topics == ["a", "b", "c"]
        assert [entry.number for entry in heard.entries] == [1, 2, 3]
        assert [entry.cursor for entry in heard.entries][-1] == feed.head
        assert all(one.cursor <= other.cursor for one, other in zip(heard.entries, heard.entries[1:], strict=False))
        page = await feed.since(start, 500, "caller")
        assert [entry.event.topic for entry in page.entries] == ["a", "b", "c"]
        assert (page.cursor, page.number) == (feed.head, 3)
        assert (await feed.since(feed.head, 500, "caller")).entries == ()
        some = await feed.since(start, 500, "caller", lambda entry: entry.event.topic == "b")
        assert [entry.event.topic for entry in some.entries] == ["a", "b"]
        assert (some.cursor, some.number, some.left, page.left) == (page.entries[1].cursor, None, 1, 0)


async def test_commits_of_another_process_arrive_without_polling(
    database: Database, database_url: str, clock: ManualClock, settings: Settings
) -> None:
    other = await open_database(database_url, clock=clock, ids=CountingIds(), settings=settings)
    wakeups = wakeups_for(database_url)
    other.on_commit(lambda _: wakeups.tell())
    telling = asyncio.create_task(wakeups.run(lambda: None))
    async with tailing(database, database_url, clock) as (_, heard):
        for number in range(20):
            await other.command(record, str(number))
            await eventually(lambda: len(heard.entries) == number + 1)  # noqa: B023 - awaited at once
    assert heard.topics == [str(number) for number in range(20)]
    telling.cancel()
    with suppress(asyncio.CancelledError):
        await telling
    await other.close()


async def test_commits_that_follow_each_other_closely_are_read_together(
    database: Database, database_url: str, clock: ManualClock
) -> None:
    pace, time = 0.5, asyncio.get_running_loop().time
    async with tailing(database, database_url, clock, pace=pace) as (_, heard):
        began = time()
        for number in range(30):
            await database.command(record, str(number))
        await eventually(lambda: len(heard.entries) == 30)
        assert heard.topics == [str(number) for number in range(30)]
        assert heard.batches <= 2 + (time() - began) / pace


async def test_what_was_deleted_unread_is_a_loss_even_where_nothing_follows(
    database: Database, database_url: str, clock: ManualClock
) -> None:
    def lose(work: Work) -> None:
        """What is left of the log when another event was written, and all were deleted."""
        work.connection.execute(sa.delete(event_log))
        work.connection.execute(sa.update(lane).values(head=lane.c.head + 1, oldest=lane.c.head + 2))

    async with tailing(database, database_url, clock, poll_seconds=0.02) as (feed, heard):
        await database.command(record, "a")
        await eventually(lambda: len(heard.entries) == 1)
        await database.command(lose)
        await eventually(lambda: heard.losses == 1)
        assert await feed.begin(None, "caller") == feed.head


class Counted:
    """Wake-ups that are counted."""

    def __init__(self, inner: Wakeups) -> None:
        self.inner = inner
        self.count = 0

    def tell(self) -> None:
        self.inner.tell()

    async def run(self, wake: Callable[[], None]) -> None:
        def counted() -> None:
            self.count += 1
            wake()

        await self.inner.run(counted)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_wakeups_go_on_when_their_connection_is_lost_without_a_word(
    database: Database, database_url: str, clock: ManualClock, settings: Settings
) -> None:
    other = await open_database(database_url, clock=clock, ids=CountingIds(), settings=settings)
    async with network_to(database_url) as (network, through):
        wakeups = Counted(wakeups_for(through, silence=SILENCE))
        feed, heard = Feed(database, wakeups, clock, poll_seconds=30.0), Heard()
        feed.listen(heard)
        task = asyncio.create_task(feed.run())
        async with feed.held():
            await eventually(lambda: wakeups.count == 1)  # it listens
            network.forget()
            await other.command(record, "a")
            await eventually(lambda: heard.topics == ["a"])
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await other.close()


async def test_a_hint_that_is_lost_costs_time_alone(
    database: Database, database_url: str, clock: ManualClock, settings: Settings
) -> None:
    other = await open_database(database_url, clock=clock, ids=CountingIds(), settings=settings)
    async with tailing(database, database_url, clock, poll_seconds=0.05) as (_, heard):
        await other.command(record, "a")
        await eventually(lambda: heard.topics == ["a"])
    await other.close()


async def test_the_tail_sleeps_while_nobody_listens(database: Database, database_url: str, clock: ManualClock) -> None:
    feed, heard = Feed(database, wakeups_for(database_url), clock), Heard()
    feed.listen(heard)
    task = asyncio.create_task(feed.run())
    for round_ in range(2):
        await database.command(record, "unheard")
        async with feed.held():
            await database.command(record, f"heard {round_}")
            await eventually(lambda: len(heard.entries) == round_ + 1)  # noqa: B023 - awaited at once
        await eventually(lambda: not feed.positions)
    await database.command(record, "unheard")
    await asyncio.sleep(0.05)
    assert not feed._handed
    assert heard.topics == ["heard 0", "heard 1"]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_after_a_failure_too_it_begins_at_the_end(
    database: Database, database_url: str, clock: ManualClock
) -> None:
    def rename(work: Work, table: str, name: str) -> None:
        work.connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {name}")

    feed, heard = Feed(database, wakeups_for(database_url), clock, poll_seconds=0.01), Heard()
    feed.listen(heard)
    task = asyncio.create_task(feed.run())
    with capture_logs() as logs:
        async with feed.held():
            await database.command(rename, "event_log", "away")
            await eventually(lambda: len(logs) > 0)
    await database.command(rename, "away", "event_log")
    await asyncio.sleep(0.3)
    await database.command(record, "unheard")
    async with feed.held():
        await database.command(record, "heard")
        await eventually(lambda: len(heard.entries) > 0)
    assert heard.topics == ["heard"]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_database_that_is_away_is_no_failure_of_ours(
    database: Database, database_url: str, clock: ManualClock, settings: Settings
) -> None:
    going = await open_database(database_url, clock=clock, ids=CountingIds(), settings=settings)
    async with tailing(going, database_url, clock, poll_seconds=0.01):
        with capture_logs() as logs:
            await going.close()
            await eventually(lambda: len(logs) > 0)
    told = ("the feed cannot read the event log; it tries again", "warning", False)
    assert {(entry["event"], entry["log_level"], "exc_info" in entry) for entry in logs} == {told}


async def test_many_events_are_read_in_batches_and_all(
    database: Database, database_url: str, clock: ManualClock
) -> None:
    async with tailing(database, database_url, clock) as (feed, heard):
        start = feed.head

        def many(work: Work) -> None:
            for number in range(1_300):
                record(work, str(number), interaction=number % 3)

        await database.command(many)
        await eventually(lambda: len(heard.entries) == 1_300)
        by_lane: dict[int, list[int]] = {}
        for entry in heard.entries:
            by_lane.setdefault(entry.logged.lane, []).append(entry.logged.position)
        assert all(found == list(range(1, len(found) + 1)) for found in by_lane.values())
        cursor, again, turns = start, 0, 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        seen: list[int] = []

        def note(_: Entry) -> bool:
            seen.append(turns)
            return False

        beside = asyncio.create_task(others())
        while (page := await feed.since(cursor, 500, "caller", note)).entries:
            again += len(page.entries)
            cursor = page.cursor
        beside.cancel()
        assert (again, cursor) == (1_300, feed.head)
        # Everybody else has a turn after a few of them.
        assert max(Counter(seen).values()) <= 20


async def test_a_cursor_is_checked_and_waited_for(database: Database, database_url: str, clock: ManualClock) -> None:
    await database.command(record, "a", "b", "c")
    clock.advance(10)
    await database.command(record, "d")
    async with tailing(database, database_url, clock) as (feed, _):
        lanes = len(feed.head.positions)
        assert await feed.begin(None, "caller") == await feed.begin(feed.head, "caller") == feed.head
        assert await feed.begin(Cursor.start(lanes), "caller") == Cursor.start(lanes)
        with pytest.raises(InvalidCursor):
            await feed.begin(Cursor((0,) * (lanes + 1)), "caller")
        with pytest.raises(InvalidCursor):
            await feed.begin(feed.head.advance(0, 10**9), "caller")
        number = next(index for index, position in enumerate(feed.head.positions) if position)
        await database.command(lambda work: prune(work.connection, number, START + timedelta(seconds=5), 10))
        with pytest.raises(CursorExpired):
            await feed.begin(Cursor.start(lanes), "caller")
        with pytest.raises(CursorExpired):
            await feed.since(Cursor.start(lanes), 500, "caller")


async def test_who_begins_waits_for_the_tail(database: Database, database_url: str, clock: ManualClock) -> None:
    async with tailing(database, database_url, clock) as (feed, _):
        await database.command(record, "a")
        assert await feed.begin(None, "caller") == feed.head


async def test_events_that_are_missing_are_never_passed_over_in_silence(
    database: Database, database_url: str, clock: ManualClock
) -> None:
    async with tailing(database, database_url, clock) as (feed, heard):
        await database.command(record, "a")
        await eventually(lambda: heard.topics == ["a"])

        def lose(work: Work) -> None:
            head = work.connection.execute(sa.select(sa.func.max(event_log.c.position))).scalar_one()
            number = work.connection.execute(sa.select(sa.func.max(event_log.c.lane))).scalar_one()
            work.connection.execute(sa.update(lane).where(lane.c.id == number).values(head=head + 5))

        with capture_logs() as logs:
            await database.command(lose)
            await database.command(record, "after the gap")
            await eventually(lambda: heard.losses == 1)
        assert [entry["event"] for entry in logs] == ["events are missing from the log"]
        await database.command(record, "b")
        await eventually(lambda: heard.topics == ["a", "b"])
        assert feed.number == 3


async def test_another_log_is_noticed(database: Database, database_url: str, clock: ManualClock) -> None:
    async with tailing(database, database_url, clock, poll_seconds=0.05) as (_, heard):
        await database.command(record, "a", "b")
        await eventually(lambda: len(heard.entries) == 2)

        def restore(work: Work) -> None:
            work.connection.execute(sa.delete(event_log))
            work.connection.execute(sa.update(lane).values(head=0, oldest=1))

        with capture_logs() as logs:
            await database.command(restore)
            await eventually(lambda: heard.losses == 1)
        assert [entry["event"] for entry in logs] == ["the event log is another one than before"]


async def test_another_log_is_noticed_while_it_grows(database: Database, database_url: str, clock: ManualClock) -> None:
    async with tailing(database, database_url, clock, poll_seconds=0.1) as (_, heard):
        await database.command(record, *map(str, range(500)))
        await eventually(lambda: len(heard.entries) == 500)

        def restore(work: Work) -> None:
            work.connection.execute(sa.delete(event_log))
            work.connection.execute(sa.update(lane).values(head=0, oldest=1))

        with capture_logs():
            await database.command(restore)
            # Never a quiet moment, and always less than there was.
            for number in range(400):
                await database.command(record, f"other {number}")
                if heard.losses:
                    break
                await asyncio.sleep(0.005)
        assert heard.losses == 1


async def test_a_lag_is_logged_when_it_grows(database: Database, database_url: str, clock: ManualClock) -> None:
    async with tailing(database, database_url, clock) as (_, heard):

        def late(work: Work) -> None:
            record(work, "late")
            clock.advance(3)

        with capture_logs() as logs:
            for number in range(1, 4):
                await database.command(late)
                await eventually(lambda: len(heard.entries) == number)  # noqa: B023 - awaited at once
        assert [(entry["event"], entry["seconds"]) for entry in logs] == [("the feed lags behind the log", 3.0)]


async def test_a_broken_connection_is_made_anew(
    empty_database_url: str, clock: ManualClock, settings: Settings
) -> None:
    """What ends all connections of PostgreSQL ends none of SQLite's; both go on."""
    from app.storage.migrations import migrate

    await migrate(empty_database_url)
    database = await open_database(empty_database_url, clock=clock, ids=CountingIds(), settings=settings)
    other = await open_database(empty_database_url, clock=clock, ids=CountingIds(), settings=settings)
    wakeups = wakeups_for(empty_database_url)
    other.on_commit(lambda _: wakeups.tell())
    telling = asyncio.create_task(wakeups.run(lambda: None))
    async with tailing(database, empty_database_url, clock) as (_, heard):
        await other.command(record, "a")
        await eventually(lambda: heard.topics == ["a"])
        if database.dialect.name == "postgresql":
            # What each of the two that listen does last, after a while only to hear whether it is still connected.
            listening = (
                "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND query ~ '^(SELECT$|LISTEN |NOTIFY )'"
            )

            async def found(what: str) -> int:
                query = sa.text(f"SELECT {what} {listening}")
                return len(await other.command(lambda work: list(work.connection.execute(query))))

            async with asyncio.timeout(PATIENCE):
                while await found("pid") < 2:  # noqa: ASYNC110 - nobody tells when they listen
                    await asyncio.sleep(0.02)
            assert await found("pg_terminate_backend(pid)") == 2
            await asyncio.sleep(0.3)
        await other.command(record, "b")
        await eventually(lambda: heard.topics == ["a", "b"])
    telling.cancel()
    with suppress(asyncio.CancelledError):
        await telling
    await other.close()
    await database.close()
