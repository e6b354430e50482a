"""Time alone: each turn is told once, and attention is what it has become."""

import asyncio
from datetime import timedelta

import pytest

from app.interactions.model import Level, State
from app.interactions.service.holding import claim
from app.interactions.service.messages import mark_read, receive_message
from app.interactions.service.state import close, snooze
from app.kinds.conversation.model.conversation import Conversation
from app.kinds.conversation.service.conversations import delete_conversation
from app.kinds.conversation.service.turning import due_conversations, turn_conversation
from app.storage.database import Database
from tests.conftest import START, ManualClock
from tests.kinds.conftest import ADA, BO
from tests.kinds.conversation.conftest import Desk, Told, ref, told

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


async def turned(database: Database, number: int) -> Conversation:
    found = await database.command(turn_conversation, ADA, ref(number))
    assert found is not None
    return found


async def test_the_window_is_about_to_close_and_closes(database: Database, clock: ManualClock, waiting: int) -> None:
    before = await told(database)
    clock.now = START + DAY - HOUR - timedelta(microseconds=1)
    assert await database.command(due_conversations, 10) == []
    assert (await turned(database, waiting)).attention.needed is False
    assert await told(database) == before

    clock.now = START + DAY - HOUR
    assert await database.command(due_conversations, 10) == [ref(waiting)]
    urgent = await turned(database, waiting)
    assert (urgent.attention.level, urgent.attention.reason) == (Level.URGENT, "REPLY_WINDOW")
    assert urgent.attention.deadline == START + DAY
    assert await database.command(due_conversations, 10) == []

    clock.now = START + DAY
    assert await database.command(due_conversations, 10) == [ref(waiting)]
    assert (await turned(database, waiting)).attention.needed is False
    assert await database.command(due_conversations, 10) == []
    assert (await told(database))[len(before) :] == [
        Told("conversation.reply_window_closing", 1, None, 1),
        Told("attention.raised", 1, None, 1),
        Told("conversation.reply_window_closed", 1, 1, None),
        Told("attention.cleared", 1, 1, None),
    ]


async def test_a_snooze_ends(database: Database, clock: ManualClock, waiting: int) -> None:
    await database.command(snooze, BO, ref(waiting), START + DAY - HOUR)
    clock.now = START + DAY - HOUR
    awake = await turned(database, waiting)
    assert (awake.state, awake.snooze_until) == (State.OPEN, None)
    assert awake.attention.reasons == ("REPLY_WINDOW",)
    assert [event.topic for event in await told(database)][-2:] == ["conversation.snooze_ended", "attention.raised"]


async def test_two_who_fire_at_once_tell_it_once(database: Database, clock: ManualClock, waiting: int) -> None:
    before = len(await told(database))
    clock.now = START + DAY - HOUR
    await asyncio.gather(*(turned(database, waiting) for _ in range(4)))
    assert len(await told(database)) == before + 2


async def test_a_snoozed_conversation_turns_without_a_word(
    database: Database, clock: ManualClock, waiting: int
) -> None:
    await database.command(snooze, BO, ref(waiting), START + 2 * DAY)
    before = await told(database)
    for moment in (START + DAY - HOUR, START + DAY):
        clock.now = moment
        assert await database.command(due_conversations, 10) == [ref(waiting)]
        assert (await turned(database, waiting)).state is State.SNOOZED
        assert await database.command(due_conversations, 10) == []
    assert await told(database) == before


async def test_what_is_closed_or_gone_is_not_due(database: Database, clock: ManualClock, waiting: int) -> None:
    await database.command(close, BO, ref(waiting))
    clock.now = START + 2 * DAY
    assert await database.command(due_conversations, 10) == []
    await database.command(delete_conversation, BO, ref(waiting))
    assert await database.command(turn_conversation, ADA, ref(waiting)) is None
