"""Every cell of the command table, and what the contract's rules make of messages, through the shared commands."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.errors import (
    AlreadyClaimed,
    Conflict,
    InvalidInput,
    InvalidTransition,
    NotClearable,
    Unreachable,
)
from app.core.ids import GlobalId
from app.directory.repository import ProfileRepository
from app.interactions.messages import MessageAuthor, MessageStatus
from app.interactions.model import Level, State
from app.interactions.service.deliveries import delete_message
from app.interactions.service.holding import assign, claim, release
from app.interactions.service.messages import mark_read, receive_message, send_message
from app.interactions.service.state import (
    acknowledge,
    clear_attention,
    close,
    raise_attention,
    reopen,
    snooze,
    unsnooze,
)
from app.kinds.conversation.model.conversation import Conversation, Status
from app.kinds.conversation.service.conversations import restart_conversation
from app.kinds.conversation.service.opening import open_for
from app.storage.database import Database, Work
from tests.conftest import START, ManualClock
from tests.kinds.conftest import ADA, BO, CY
from tests.kinds.conversation.conftest import Desk, message, receive, ref, refused, stored, told

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
TEXT = ({"type": "text", "content": "Where is my parcel?"},)
REPLY = {"type": "text", "content": "On its way."}


@pytest.fixture
async def conversation(database: Database, desk: Desk) -> Conversation:
    return await database.command(open_for, BO, desk.ana, desk.whatsapp)


# ---- who holds it


async def test_a_claim_takes_it_and_begins_the_work(database: Database, conversation: Conversation) -> None:
    claimed = await database.command(claim, BO, ref(conversation.id))
    assert (claimed.assignee_id, claimed.status) == (BO.user_id, Status.IN_PROGRESS)
    assert claimed.attention.needed is False
    assert (await told(database))[-2].topic == "conversation.claimed"
    await refused(database, claimed.id, AlreadyClaimed, claim, ADA, ref(conversation.id))


async def test_a_release_frees_it(database: Database, conversation: Conversation) -> None:
    await database.command(claim, BO, ref(conversation.id))
    freed = await database.command(release, BO, ref(conversation.id))
    assert (freed.assignee_id, freed.status) == (None, Status.IN_PROGRESS)
    await refused(database, freed.id, InvalidTransition, release, BO, ref(conversation.id))


async def test_an_assignment_does_not_begin_the_work_of_somebody_else(
    database: Database, conversation: Conversation
) -> None:
    given = await database.command(assign, BO, ref(conversation.id), CY.user_id)
    assert (given.assignee_id, given.status) == (CY.user_id, Status.TO_DO)
    await refused(database, given.id, AlreadyClaimed, assign, BO, ref(conversation.id), BO.user_id)


# ---- closed and snoozed


async def test_closing_is_done_and_reopening_in_progress(database: Database, conversation: Conversation) -> None:
    closed = await database.command(close, BO, ref(conversation.id))
    assert (closed.status, closed.state, closed.attention.needed) == (Status.DONE, State.CLOSED, False)
    await refused(database, closed.id, InvalidTransition, close, BO, ref(conversation.id))
    await refused(database, closed.id, InvalidTransition, claim, BO, ref(conversation.id))
    opened = await database.command(reopen, BO, ref(conversation.id))
    assert (opened.status, opened.state) == (Status.IN_PROGRESS, State.OPEN)
    await refused(database, opened.id, InvalidTransition, reopen, BO, ref(conversation.id))


async def test_a_snoozed_conversation_needs_nobody(
    database: Database, clock: ManualClock, conversation: Conversation
) -> None:
    asleep = await database.command(snooze, BO, ref(conversation.id), START + HOUR)
    assert (asleep.state, asleep.snooze_until) == (State.SNOOZED, START + HOUR)
    assert asleep.attention.needed is False
    assert (await stored(database, conversation.id)).due_at == START + HOUR
    awake = await database.command(unsnooze, BO, ref(conversation.id))
    assert (awake.state, awake.snooze_until, awake.attention.level) == (State.OPEN, None, Level.LOW)
    await refused(database, awake.id, InvalidTransition, unsnooze, BO, ref(conversation.id))
    await refused(database, awake.id, InvalidInput, snooze, BO, ref(conversation.id), START)
    await database.command(close, BO, ref(conversation.id))
    await refused(database, awake.id, InvalidTransition, snooze, BO, ref(conversation.id), START + HOUR)


# ---- messages of the customer


async def test_a_message_of_the_customer_opens_everything(
    database: Database, clock: ManualClock, desk: Desk, conversation: Conversation
) -> None:
    await database.command(snooze, BO, ref(conversation.id), START + DAY)
    await database.command(close, BO, ref(conversation.id))
    clock.advance(60)
    after = await stored(database, (await receive(database, desk.ana, desk.whatsapp)).interaction)
    assert after.id == conversation.id
    assert (after.status, after.state, after.snooze_until) == (Status.TO_DO, State.OPEN, None)
    assert after.unread_customer_messages_count == 1
    assert after.last_customer_reply_from == clock.now
    assert after.reply_until == clock.now + DAY
    assert after.due_at == clock.now + DAY - HOUR
    assert after.attention.reasons == ("TO_DO", "CUSTOMER_WAITING")
    found = await message(database, after.latest_message_id or 0)
    assert (found.author, found.status) == (MessageAuthor.CUSTOMER, MessageStatus.DELIVERED)


async def test_a_message_of_the_customer_ends_a_snooze(
    database: Database, desk: Desk, conversation: Conversation
) -> None:
    await database.command(claim, BO, ref(conversation.id))
    await database.command(snooze, BO, ref(conversation.id), START + DAY)
    after = await stored(database, (await receive(database, desk.ana, desk.whatsapp)).interaction)
    assert (after.status, after.state, after.snooze_until) == (Status.IN_PROGRESS, State.OPEN, None)
    assert after.attention.reasons == ("CUSTOMER_WAITING",)


async def test_a_first_message_opens_the_conversation(database: Database, desk: Desk) -> None:
    after = await stored(database, (await receive(database, desk.wim, desk.widget)).interaction)
    assert (after.conversation_id, after.channel_agent_id, after.reply_until) == (1, desk.widget, None)
    assert [event.topic for event in await told(database)] == [
        "conversation.created",
        "attention.raised",
        "conversation.message_received",
        "attention.changed",
    ]


@pytest.mark.parametrize("missing", ["customer_id", "channel_agent_id"])
async def test_a_first_message_needs_both_partners(
    database: Database, desk: Desk, conversation: Conversation, missing: str
) -> None:
    target = {"kind": "conversation", "customer_id": desk.ana, "channel_agent_id": desk.whatsapp, missing: None}
    fault = await refused(database, conversation.id, InvalidInput, receive_message, BO, target, TEXT)
    assert fault.path[-1] == missing


async def test_reading_ends_no_wait(database: Database, desk: Desk, conversation: Conversation) -> None:
    await database.command(claim, BO, ref(conversation.id))
    await receive(database, desk.ana, desk.whatsapp)
    waiting = await stored(database, (await receive(database, desk.ana, desk.whatsapp)).interaction)
    assert waiting.unread_customer_messages_count == 2
    assert waiting.attention.level is Level.NORMAL
    read = await database.command(mark_read, BO, ref(conversation.id))
    assert read.unread_customer_messages_count == 0
    assert read.attention == waiting.attention
    assert read.version == waiting.version
    assert (await message(database, waiting.latest_message_id or 0)).status is MessageStatus.READ


async def test_the_last_reply_survives_the_deletion_of_its_message(
    database: Database, clock: ManualClock, desk: Desk
) -> None:
    after = await stored(database, (await receive(database, desk.ana, desk.whatsapp)).interaction)
    clock.advance(60)
    await database.command(delete_message, BO, GlobalId("msg", after.latest_message_id or 0))
    left = await stored(database, after.id)
    assert (left.latest_message_id, left.latest_customer_message_id) == (None, None)
    assert left.unread_customer_messages_count == 0
    assert left.last_customer_reply_from == START
    assert left.reply_until == START + DAY


async def test_a_blocked_profile_neither_writes_nor_receives(
    database: Database, clock: ManualClock, desk: Desk, conversation: Conversation
) -> None:
    target = {"kind": "conversation", "customer_id": desk.blocked, "channel_agent_id": desk.whatsapp}
    await refused(database, conversation.id, Unreachable, receive_message, BO, target, TEXT)
    await database.command(_block, desk.blocked_profile, False)
    known = await stored(database, (await receive(database, desk.blocked, desk.whatsapp)).interaction)
    await database.command(_block, desk.blocked_profile, True)
    await refused(database, known.id, Unreachable, receive_message, BO, target, TEXT)
    await refused(database, known.id, Unreachable, send_message, BO, ref(known.id), REPLY)
    clock.advance(DAY.total_seconds())
    await refused(database, known.id, Unreachable, restart_conversation, BO, ref(known.id))


def _block(work: Work, profile_id: int, blocked: bool) -> None:
    profiles = work.use(ProfileRepository)
    before = profiles.get(profile_id)
    assert before is not None
    profiles.save(before, replace(before, blocked=blocked))


# ---- attention


async def test_attention_by_hand(database: Database, conversation: Conversation) -> None:
    await refused(database, conversation.id, NotClearable, clear_attention, BO, ref(conversation.id))
    raised = await database.command(raise_attention, BO, ref(conversation.id), Level.URGENT)
    assert raised.attention.reasons == ("TO_DO", "RAISED")
    assert (raised.attention.level, raised.attention.reason) == (Level.URGENT, "RAISED")
    known = await database.command(acknowledge, BO, ref(conversation.id))
    assert known.attention.acknowledged_by == BO.user_id
    cleared = await database.command(clear_attention, BO, ref(conversation.id))
    assert (cleared.attention.level, cleared.attention.reason) == (Level.LOW, "TO_DO")
    await database.command(claim, BO, ref(conversation.id))
    await refused(database, conversation.id, Conflict, acknowledge, BO, ref(conversation.id))
