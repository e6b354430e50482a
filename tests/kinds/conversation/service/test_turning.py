"""Time alone: each turn is told once, and attention is what it has become."""

import asyncio
from datetime import timedelta

import pytest

from app.interactions.model import Level, State
from app.interactions.service.deadlines import fire_due
from app.interactions.service.holding import claim
from app.interactions.service.messages import mark_read, receive_message, send_message
from app.interactions.service.state import close, snooze
from app.kinds.conversation.model.conversation import Conversation
from app.storage.database import Database
from tests.conftest import START, ManualClock
from tests.kinds.conftest import BO
from tests.kinds.conversation.conftest import Desk, Told, ref, stored, told

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)


@pytest.fixture
async def waiting(database: Database, desk: Desk) -> int:
    """A conversation that Bo works on and has read, whose customer waits for an answer."""
    target = {"kind": "conversation", "customer_id": desk.ana, "channel_agent_id": desk.whatsapp}
    posted = await database.command(receive_message, BO, target, [{"type": "text", "content": "Hello?"}])
    await database.command(claim, BO, ref(posted.interaction))
    await database.command(mark_read, BO, ref(posted.interaction))
    return posted.interaction


async def fired(database: Database, number: int) -> Conversation:
    """The conversation after what time alone had to do to it."""
    assert (await database.command(fire_due, 10)).found == 1
    assert (await database.command(fire_due, 10)).found == 0
    return await stored(database, number)


async def nothing_is_due(database: Database) -> bool:
    return (await database.command(fire_due, 10)).found == 0


async def test_the_window_is_about_to_close_and_closes(database: Database, clock: ManualClock, waiting: int) -> None:
    before = await told(database)
    clock.now = START + DAY - HOUR - timedelta(microseconds=1)
    assert await nothing_is_due(database)
    assert (await stored(database, waiting)).attention.reasons == ("CUSTOMER_WAITING",)
    assert await told(database) == before

    clock.now = START + DAY - HOUR
    urgent = await fired(database, waiting)
    assert (urgent.attention.level, urgent.attention.reason) == (Level.URGENT, "REPLY_WINDOW")
    assert (urgent.attention.deadline, urgent.due_at) == (START + DAY, START + DAY)

    clock.now = START + DAY
    closed = await fired(database, waiting)
    assert (closed.attention.reasons, closed.due_at) == (("MISSED", "CUSTOMER_WAITING"), None)
    assert (await told(database))[len(before) :] == [
        Told("conversation.reply_window_closing", None, 3, 1),
        Told("attention.changed", None, 3, 1),
        Told("conversation.reply_window_closed", None, 1, 2),
        Told("attention.changed", None, 1, 2),
    ]


async def test_a_snooze_ends(database: Database, clock: ManualClock, waiting: int) -> None:
    await database.command(snooze, BO, ref(waiting), START + DAY - HOUR)
    clock.now = START + DAY - HOUR
    awake = await fired(database, waiting)
    assert (awake.state, awake.snooze_until) == (State.OPEN, None)
    assert awake.attention.reasons == ("REPLY_WINDOW", "TO_DO", "CUSTOMER_WAITING")
    assert [event.topic for event in await told(database)][-2:] == ["conversation.snooze_ended", "attention.raised"]


async def test_two_who_fire_at_once_tell_it_once(database: Database, clock: ManualClock, waiting: int) -> None:
    before = len(await told(database))
    clock.now = START + DAY - HOUR
    await asyncio.gather(*(database.command(fire_due, 10) for _ in range(4)))
    assert len(await told(database)) == before + 2


async def test_a_snoozed_conversation_turns_without_a_word(
    database: Database, clock: ManualClock, waiting: int
) -> None:
    await database.command(send_message, BO, ref(waiting), {"type": "text", "content": "Soon."})
    await database.command(snooze, BO, ref(waiting), START + 2 * DAY)
    before = await told(database)
    clock.now = START + DAY - HOUR
    turned = await fired(database, waiting)
    assert (turned.state, turned.due_at) == (State.SNOOZED, START + 2 * DAY)
    assert await told(database) == before


async def test_what_is_closed_does_not_turn(database: Database, clock: ManualClock, waiting: int) -> None:
    await database.command(close, BO, ref(waiting))
    before = await told(database)
    clock.now = START + 2 * DAY
    assert (await fired(database, waiting)).due_at is None
    assert await told(database) == before
