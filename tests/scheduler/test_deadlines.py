"""Every deadline is met once, exactly at its time and not before, whichever kind it is of."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest

from app.core.ids import GlobalId
from app.interactions.messages import MessageAuthor
from app.interactions.service.deadlines import fire_due
from app.interactions.service.holding import claim
from app.interactions.service.messages import receive_message, send_message
from app.interactions.service.state import close, snooze
from app.kinds.agent_session import service as agent_sessions
from app.kinds.chat_session.service.requests import request_chat_session
from app.kinds.chat_session.service.sessions import delete_chat_session
from app.kinds.chat_session.service.topics import create_chat_topic
from app.kinds.session.service import update
from app.scheduler import Scheduler
from app.storage.database import Database
from tests.conftest import START, ManualClock
from tests.kinds.conftest import ADA, BO
from tests.kinds.conversation.conftest import Desk, stored
from tests.scheduler.conftest import customer, hear, said, told, topics

pytestmark = pytest.mark.anyio

MOMENT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Case(NamedTuple):
    """When something is due, and what is then told."""

    due_at: datetime
    topics: list[str]


async def a_snooze(database: Database, desk: Desk) -> Case:
    await database.command(snooze, BO, await hear(database, desk), START + HOUR)
    return Case(START + HOUR, ["conversation.snooze_ended", "attention.raised"])


async def a_lease(database: Database, desk: Desk) -> Case:
    await database.command(claim, BO, await hear(database, desk), lease_seconds=60)
    return Case(START + timedelta(seconds=60), ["conversation.claim_lapsed"])


async def a_reply_window_that_closes_soon(database: Database, desk: Desk) -> Case:
    await hear(database, desk)
    return Case(START + DAY - HOUR, ["conversation.reply_window_closing", "attention.changed"])


async def an_idle_time(database: Database, desk: Desk) -> Case:
    await database.command(agent_sessions.create_agent, BO, {"name": "Support"}, agent_key="agt_1")
    await database.command(agent_sessions.create, BO, "agt_1", {"tti_minutes": 60})
    return Case(START + HOUR, ["agent_session.deleted"])


async def a_session(database: Database, desk: Desk) -> Case:
    sam = await customer(database, "sam")
    await database.command(receive_message, BO, {"kind": "session", "customer_id": sam}, [said("Hi")])
    return Case(START + 2 * HOUR, ["session.ended"])


async def a_deleted_chat(database: Database, desk: Desk) -> Case:
    topic = await database.command(create_chat_topic, ADA, {"name": "Support"})
    chat = await database.command(request_chat_session, BO, topic.topic_id, {})
    await database.command(delete_chat_session, BO, GlobalId("chs", chat.id))
    return Case(START + DAY, ["chat_session.erased"])


@pytest.mark.parametrize(
    "made", [a_snooze, a_lease, a_reply_window_that_closes_soon, an_idle_time, a_session, a_deleted_chat]
)
async def test_a_deadline_is_met_once_and_not_before(
    database: Database, desk: Desk, clock: ManualClock, made: Callable[[Database, Desk], Awaitable[Case]]
) -> None:
    case = await made(database, desk)
    scheduler = Scheduler(database, clock)
    before = await told(database)
    clock.now = case.due_at - MOMENT
    assert await scheduler.fire() == pytest.approx(0.05)
    assert await topics(database, before) == []
    clock.now = case.due_at
    await scheduler.fire()
    assert await topics(database, before) == case.topics
    # By their places: the words in the events of what was erased are gone by now.
    known = {(each.lane, each.position) for each in before}
    found = [each for each in await told(database) if (each.lane, each.position) not in known]
    assert {(each.event.actor_id, each.at) for each in found} == {(None, case.due_at)}
    for later in (0, 0.5):
        clock.advance(later)
        await scheduler.fire()
        assert await topics(database, before) == case.topics


async def test_a_reply_window_closes(database: Database, desk: Desk, clock: ManualClock) -> None:
    await hear(database, desk)
    scheduler = Scheduler(database, clock)
    clock.now = START + DAY - HOUR
    await scheduler.fire()
    before = await told(database)
    clock.now = START + DAY - MOMENT
    await scheduler.fire()
    assert await topics(database, before) == []
    clock.now = START + DAY
    await scheduler.fire()
    assert await topics(database, before) == ["conversation.reply_window_closed", "attention.changed"]


async def test_a_reply_of_the_holder_keeps_the_claim(database: Database, desk: Desk, clock: ManualClock) -> None:
    ref = await hear(database, desk)
    await database.command(claim, BO, ref, lease_seconds=60)
    await database.command(send_message, BO, ref, said("Hi"))
    before = await told(database)
    clock.advance(60)
    await Scheduler(database, clock).fire()
    assert await topics(database, before) == []


async def test_a_deadline_that_moved_is_armed_anew_when_it_comes_up(
    database: Database, desk: Desk, clock: ManualClock
) -> None:
    sam = await customer(database, "sam")
    target = {"kind": "session", "customer_id": sam}
    await database.command(receive_message, BO, target, [said("Hi")])
    clock.advance(3600)
    await database.command(receive_message, BO, target, [said("Are you there?")])
    before = await told(database)
    clock.now = START + 2 * HOUR
    looked = await database.command(fire_due, 10)
    assert (looked.found, looked.changed, looked.moved, looked.failures) == (1, 0, 1, ())
    assert await topics(database, before) == []
    clock.now = START + 3 * HOUR
    looked = await database.command(fire_due, 10)
    assert (looked.found, looked.changed, looked.moved) == (1, 1, 0)
    assert await topics(database, before) == ["session.ended"]
    assert (await database.command(fire_due, 10)).found == 0


async def test_a_session_that_is_flagged_does_not_end(database: Database, desk: Desk, clock: ManualClock) -> None:
    sam = await customer(database, "sam")
    posted = await database.command(receive_message, BO, {"kind": "session", "customer_id": sam}, [said("Hi")])
    await database.command(update, BO, {"need_attention": True}, ref=f"ses_{posted.interaction}")
    before = await told(database)
    clock.now = START + 2 * HOUR
    await Scheduler(database, clock).fire()
    assert await topics(database, before) == []


async def test_an_idle_time_begins_anew_with_whatever_happens(
    database: Database, desk: Desk, clock: ManualClock
) -> None:
    await an_idle_time(database, desk)
    clock.advance(1800)
    await database.command(send_message, BO, GlobalId("ags", 1), said("Still there?"), author=MessageAuthor.AI_AGENT)
    before = await told(database)
    scheduler = Scheduler(database, clock)
    for moment, expected in (
        (START + HOUR, []),
        (START + 1.5 * HOUR - MOMENT, []),
        (START + 1.5 * HOUR, ["agent_session.deleted"]),
    ):
        clock.now = moment
        await scheduler.fire()
        assert await topics(database, before) == expected


async def test_a_lease_on_what_was_closed_meanwhile_ends_without_a_word_to_its_holder(
    database: Database, desk: Desk, clock: ManualClock
) -> None:
    ref = await hear(database, desk)
    await database.command(claim, BO, ref, lease_seconds=60)
    await database.command(close, BO, ref)
    clock.advance(60)
    await Scheduler(database, clock).fire()
    after = await stored(database, ref.number)
    assert (after.assignee_id, after.claimed_until) == (BO.user_id, None)
