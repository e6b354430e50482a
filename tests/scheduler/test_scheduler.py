"""The scheduler itself: several at once, after a restart, with what fails; the chores."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from app.core.clock import Clock, utc_now
from app.core.ids import GlobalId
from app.directory.model import Channel
from app.interactions.service.messages import send_message
from app.interactions.service.state import raise_attention, snooze
from app.interactions.tables import interaction
from app.kinds.conversation.model.conversation import Conversation, Status
from app.kinds.conversation.repository import ConversationRepository
from app.kinds.conversation.tables import channel_agent
from app.scheduler import CHORES, Scheduler, scheduling
from app.settings import Settings
from app.storage.chores import DUE, Chore
from app.storage.database import Database, Work, open_database
from app.storage.event_log import HEADS
from app.storage.idempotency import idempotency_key, once
from app.storage.repository import reserve_ids
from tests.chores import have_chores_due
from tests.conftest import START, CountingIds, ManualClock
from tests.kinds.conftest import BO
from tests.kinds.conversation.conftest import Desk, stored
from tests.scheduler.conftest import RULES, eventually, hear, said, told, topics

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


def asleep(work: Work, desk: Desk, count: int) -> list[int]:
    """So many conversations of one customer whose snoozes end in an hour; nobody waits in them otherwise."""
    first = reserve_ids(work.connection, interaction, count)
    agents = reserve_ids(work.connection, channel_agent, count)
    numbers = work.use(ConversationRepository).reserve_numbers(count)
    row = {"channel": "WHATSAPP", "name": "A", "in_sync": True, "version": 1, "created_at": START, "updated_at": START}
    work.connection.execute(
        sa.insert(channel_agent), [{**row, "id": agents + i, "display_id": f"number {i}"} for i in range(count)]
    )
    work.use(ConversationRepository).add_many(
        [
            Conversation(
                id=first + i,
                kind="conversation",
                customer_id=desk.ana,
                conversation_id=numbers + i,
                channel=Channel.WHATSAPP,
                channel_agent_id=agents + i,
                status=Status.IN_PROGRESS,
                snooze_until=START + HOUR,
                due_at=START + HOUR,
                created_at=START,
                updated_at=START,
            )
            for i in range(count)
        ]
    )
    return list(range(first, first + count))


@asynccontextmanager
async def another(database_url: str, clock: Clock, settings: Settings | None = None) -> AsyncIterator[Database]:
    """The same database as another process has it."""
    opened = await open_database(
        database_url, clock=clock, ids=CountingIds(), settings=settings or Settings(), kinds=RULES
    )
    try:
        yield opened
    finally:
        await opened.close()


async def test_two_schedulers_fire_a_thousand_deadlines_of_the_same_moment_once_each(
    database: Database, database_url: str, desk: Desk, clock: ManualClock
) -> None:
    ids = await database.command(asleep, desk, 1000)
    clock.advance(3600)
    async with another(database_url, clock) as other:
        await asyncio.gather(Scheduler(database, clock, ()).fire(), Scheduler(other, clock, ()).fire())
        # Whoever found the rest in the hands of the other one has gone to sleep before it was done.
        await Scheduler(database, clock, ()).fire()
    found = Counter((each.event.topic, each.event.interaction_id) for each in await told(database))
    assert found == Counter((topic, key) for topic in ("conversation.snooze_ended", "attention.raised") for key in ids)


async def test_what_came_due_while_nobody_ran_is_fired_at_start(
    database: Database, database_url: str, desk: Desk, clock: ManualClock
) -> None:
    ref = await hear(database, desk)
    await database.command(snooze, BO, ref, START + HOUR)
    before = await told(database)
    clock.advance(7 * 86_400)
    async with another(database_url, clock) as later, scheduling(later, clock):

        async def is_told() -> bool:
            return await told(database) != before

        await eventually(is_told)
    # The reply window has closed meanwhile, too: nothing of it is left to tell.
    assert await topics(database, before) == ["conversation.snooze_ended", "attention.raised"]
    assert (await stored(database, ref.number)).due_at is None


async def test_a_deadline_is_met_within_a_second(database: Database, database_url: str, desk: Desk) -> None:
    async with another(database_url, utc_now) as ours, scheduling(ours, utc_now):
        ref = await hear(ours, desk)
        until = utc_now() + timedelta(seconds=0.3)
        await ours.command(snooze, BO, ref, until)

        async def is_awake() -> bool:
            return (await stored(ours, ref.number)).snooze_until is None

        await eventually(is_awake)
        ended = next(each for each in await told(ours) if each.event.topic == "conversation.snooze_ended")
        assert until <= ended.at < until + timedelta(seconds=2)


def broken_model(work: Work) -> None:
    work.connection.execute(sa.text("UPDATE conversation SET status = 'BROKEN' WHERE id = 1"))


def mended_model(work: Work) -> None:
    work.connection.execute(sa.text("UPDATE conversation SET status = 'IN_PROGRESS' WHERE id = 1"))


def broken_sql(work: Work) -> None:
    """Have the database refuse what the deadline writes."""
    if work.dialect_name == "sqlite":
        work.connection.exec_driver_sql(
            "CREATE TRIGGER refusing BEFORE UPDATE ON conversation WHEN old.id = 1 BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    else:
        work.connection.exec_driver_sql(
            "ALTER TABLE conversation ADD CONSTRAINT refusing CHECK (id <> 1 OR snooze_until IS NOT NULL)"
        )


def mended_sql(work: Work) -> None:
    work.connection.exec_driver_sql(
        "DROP TRIGGER refusing"
        if work.dialect_name == "sqlite"
        else "ALTER TABLE conversation DROP CONSTRAINT refusing"
    )


@pytest.mark.parametrize(
    ("broken", "mended"), [(broken_model, mended_model), (broken_sql, mended_sql)], ids=["model", "sql"]
)
async def test_a_deadline_that_fails_holds_up_no_other_and_is_tried_again(
    database: Database,
    desk: Desk,
    clock: ManualClock,
    broken: Callable[[Work], None],
    mended: Callable[[Work], None],
) -> None:
    ids = await database.command(asleep, desk, 3)
    assert ids == [1, 2, 3]
    await database.command(broken)
    scheduler = Scheduler(database, clock, ())
    clock.now = START + HOUR
    with capture_logs() as logs:
        await scheduler.fire()
        assert [each.event.interaction_id for each in await told(database)] == [2, 2, 3, 3]
        for pause in (1, 2, 4):
            clock.advance(pause - 0.001)
            await scheduler.fire()
            clock.advance(0.001)
            await scheduler.fire()
    assert [(each["event"], each["interaction"], each["again_in"]) for each in logs] == [
        ("a deadline failed", "cnv_1", pause) for pause in (1, 2, 4, 8)
    ]
    assert len(await told(database)) == 4
    await database.command(mended)
    clock.advance(8)
    await scheduler.fire()
    assert [each.event.interaction_id for each in await told(database)] == [2, 2, 3, 3, 1, 1]
    assert await database.command(failures) == [0, 0, 0]


def failures(work: Work) -> list[int]:
    return list(work.connection.execute(sa.select(interaction.c.due_failures).order_by(interaction.c.id)).scalars())


async def test_pauses_end_at_seventeen_minutes(database: Database, desk: Desk, clock: ManualClock) -> None:
    await database.command(asleep, desk, 1)
    await database.command(broken_model)
    clock.now = START + HOUR
    with capture_logs() as logs:
        for _ in range(13):
            await Scheduler(database, clock, ()).fire()
            clock.advance(1024)
    assert [each["again_in"] for each in logs] == [2**n for n in range(11)] + [1024, 1024]
    assert await database.command(failures) == [13]


async def test_a_command_has_what_failed_tried_again_at_once(
    database: Database, desk: Desk, clock: ManualClock
) -> None:
    await database.command(asleep, desk, 1)
    await database.command(broken_model)
    clock.now = START + HOUR
    with capture_logs():
        await Scheduler(database, clock, ()).fire()
    await database.command(mended_model)
    await database.command(raise_attention, BO, GlobalId("cnv", 1))
    await Scheduler(database, clock, ()).fire()
    assert (await topics(database)).count("conversation.snooze_ended") == 1


async def test_an_idle_scheduler_looks_once_a_second(database: Database, clock: ManualClock) -> None:
    await database.command(have_chores_due)
    scheduler = Scheduler(database, clock)
    assert await scheduler.fire() == 1
    assert await scheduler.fire() == 1


async def test_the_loop_outlives_what_goes_wrong(database_url: str, clock: ManualClock) -> None:
    async with another(database_url, clock) as gone:
        pass
    with capture_logs() as logs:
        async with scheduling(gone, clock):

            async def is_logged() -> bool:
                return bool(logs)

            await eventually(is_logged)
    assert [(each["event"], each["reason"], each["seconds"]) for each in logs] == [
        ("nothing can be fired", "The database is closed.", 1.0)
    ]


# ---- chores


async def test_a_chore_is_done_by_one_of_many_each_time(
    database: Database, database_url: str, clock: ManualClock
) -> None:
    done: list[str] = []

    def note(who: str) -> Callable[[Work], bool]:
        def run(_work: Work) -> bool:
            done.append(who)
            return False

        return run

    async with another(database_url, clock) as other:
        schedulers = [
            Scheduler(store, clock, (Chore("sweep", timedelta(minutes=1), note(who)),))
            for store, who in ((database, "a"), (other, "b"), (other, "c"))
        ]
        for seconds, count in ((0, 1), (59, 1), (1, 2), (60, 3)):
            clock.advance(seconds)
            await asyncio.gather(*(each.fire() for each in schedulers))
            assert len(done) == count


async def test_chores_that_another_process_has_done_take_one_look_and_no_command(
    database: Database, database_url: str, clock: ManualClock
) -> None:
    await database.command(have_chores_due)
    await Scheduler(database, clock).fire()
    looks: list[str] = []
    other = await open_database(
        database_url, clock=clock, ids=CountingIds(), settings=Settings(), observer=looks.append
    )
    try:
        scheduler = Scheduler(other, clock)
        # After 15 seconds two are due, each of which is taken and done.
        for seconds, commands, looked in ((0, 0, 1), (14, 0, 1), (1, 4, 2)):
            clock.advance(seconds)
            await scheduler.fire()
            assert (other.tally.units, looks.count(DUE.sql)) == (commands, looked)
    finally:
        await other.close()


async def test_a_chore_goes_on_until_nothing_is_left_and_deadlines_come_first(
    database: Database, desk: Desk, clock: ManualClock
) -> None:
    await database.command(asleep, desk, 1)
    left = [True, True, False]
    seen: list[int] = []

    def sweep(_work: Work) -> bool:
        return left.pop(0)

    scheduler = Scheduler(database, clock, (Chore("sweep", timedelta(minutes=1), sweep),))
    clock.now = START + HOUR
    for _ in range(3):
        seen.append(int(await scheduler.fire()))
        assert await topics(database) == ["conversation.snooze_ended", "attention.raised"]
    assert (seen, left) == ([0, 0, 1], [])


async def test_a_chore_that_fails_is_tried_again_at_its_next_time(database: Database, clock: ManualClock) -> None:
    tried = []

    def fail(_work: Work) -> bool:
        tried.append(clock.now)
        raise RuntimeError("no")

    scheduler = Scheduler(database, clock, (Chore("sweep", timedelta(minutes=1), fail),))
    with capture_logs() as logs:
        for seconds in (0, 1, 59):
            clock.advance(seconds)
            assert await scheduler.fire() == 1
    assert tried == [START, START + timedelta(minutes=1)]
    assert [(each["event"], each["chore"], each["again_in"]) for each in logs] == [("a chore failed", "sweep", 60)] * 2


async def test_answers_are_forgotten_after_their_time(database: Database, clock: ManualClock) -> None:
    scheduler = Scheduler(database, clock)

    def answer(work: Work) -> int:
        return once(work, BO, "key", "request", lambda: 7)

    def kept(work: Work) -> int:
        return int(work.connection.execute(sa.select(sa.func.count()).select_from(idempotency_key)).scalar_one())

    await database.command(have_chores_due)
    await database.command(answer)
    retention = Settings().idempotency_retention
    for moment, count in ((START + retention, 1), (START + retention + timedelta(minutes=1), 0)):
        clock.now = moment
        await scheduler.fire()
        assert await database.command(kept) == count


async def test_events_are_forgotten_after_their_time(database: Database, desk: Desk, clock: ManualClock) -> None:
    await database.command(have_chores_due)
    ref = await hear(database, desk)
    # Nobody waits, so no reply window that closes is told of.
    await database.command(send_message, BO, ref, said("Hello!"))
    clock.advance(60)
    await database.command(raise_attention, BO, ref)
    before = await told(database)
    late = [each for each in before if each.at == clock.now]
    assert 0 < len(late) < len(before)
    scheduler = Scheduler(database, clock, [chore for chore in CHORES if chore.name == "events"])

    def oldest(work: Work) -> int:
        rows = work.connection.exec_driver_sql(HEADS.sql).all()
        return sum(int(row.oldest) - 1 for row in rows)

    clock.now = START + Settings().event_retention
    await scheduler.fire()
    assert await told(database) == before
    clock.advance(60)
    await scheduler.fire()
    assert [each.event.topic for each in await told(database)][: len(late)] == [each.event.topic for each in late]
    assert await database.command(oldest) == len(before) - len(late)
