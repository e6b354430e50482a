"""Every cell of the command table, and what the contract's rules make of messages, through the shared commands."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.errors import (
    AlreadyClaimed,
    Conflict,
    DomainError,
    InvalidInput,
    InvalidTransition,
    NotClearable,
    TooLong,
    Unreachable,
)
from app.core.ids import GlobalId
from app.directory.repository import ProfileRepository
from app.interactions.messages import Message, MessageAuthor, MessageErrorType, MessageSource, MessageStatus
from app.interactions.model import Level, State
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.deliveries import delete_message, report_message_status, set_reaction
from app.interactions.service.holding import assign, claim, release
from app.interactions.service.messages import mark_read, receive_message, send_message
from app.interactions.service.notes import add_note
from app.interactions.service.state import (
    acknowledge,
    clear_attention,
    close,
    raise_attention,
    reopen,
    set_labels,
    snooze,
    unsnooze,
)
from app.interactions.tables import message_error
from app.kinds.conversation.model.conversation import Conversation, Status
from app.kinds.conversation.repository import ConversationRepository
from app.kinds.conversation.service.conversations import RESTART_TEXT, restart_conversation
from app.kinds.conversation.service.opening import open_for
from app.storage.database import Database, Work
from tests.conftest import START, ManualClock
from tests.kinds.conftest import ADA, BO, CY
from tests.kinds.conversation.conftest import Desk, ref, told

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
TEXT = ({"type": "text", "content": "Where is my parcel?"},)
REPLY = {"type": "text", "content": "On its way."}


@pytest.fixture
async def conversation(database: Database, desk: Desk) -> Conversation:
    return await database.command(open_for, BO, desk.ana, desk.whatsapp)


def _stored(work: Work, number: int) -> Conversation | None:
    return work.use(ConversationRepository).load(number)


async def stored(database: Database, number: int) -> Conversation:
    found = await database.command(_stored, number)
    assert found is not None
    return found


def _message(work: Work, number: int) -> Message | None:
    return work.use(MessageRepository).get(number)


async def message(database: Database, number: int) -> Message:
    found = await database.command(_message, number)
    assert found is not None
    return found


async def receive(database: Database, customer: int, agent: int) -> Conversation:
    target: Mapping[str, Any] = {"kind": "conversation", "customer_id": customer, "channel_agent_id": agent}
    posted = await database.command(receive_message, BO, target, TEXT)
    return await stored(database, posted.interaction)


async def refused(
    database: Database, before: Conversation, error: type[DomainError], *args: Any, **given: Any
) -> DomainError:
    """Expect the refusal, and that it left no trace."""
    before = await stored(database, before.id)
    events = await told(database)
    with pytest.raises(error) as caught:
        await database.command(*args, **given)
    assert await stored(database, before.id) == before
    assert await told(database) == events
    return caught.value


# ---- who holds it


async def test_a_claim_takes_it_and_begins_the_work(database: Database, conversation: Conversation) -> None:
    claimed = await database.command(claim, BO, ref(conversation.id))
    assert (claimed.assignee_id, claimed.status) == (BO.user_id, Status.IN_PROGRESS)
    assert claimed.attention.needed is False
    assert (await told(database))[-2].topic == "conversation.claimed"
    await refused(database, claimed, AlreadyClaimed, claim, ADA, ref(conversation.id))


async def test_a_release_frees_it(database: Database, conversation: Conversation) -> None:
    await database.command(claim, BO, ref(conversation.id))
    freed = await database.command(release, BO, ref(conversation.id))
    assert (freed.assignee_id, freed.status) == (None, Status.IN_PROGRESS)
    await refused(database, freed, InvalidTransition, release, BO, ref(conversation.id))


async def test_an_assignment_does_not_begin_the_work_of_somebody_else(
    database: Database, conversation: Conversation
) -> None:
    given = await database.command(assign, BO, ref(conversation.id), CY.user_id)
    assert (given.assignee_id, given.status) == (CY.user_id, Status.TO_DO)
    await refused(database, given, AlreadyClaimed, assign, BO, ref(conversation.id), BO.user_id)


# ---- closed and snoozed


async def test_closing_is_done_and_reopening_in_progress(database: Database, conversation: Conversation) -> None:
    closed = await database.command(close, BO, ref(conversation.id))
    assert (closed.status, closed.state, closed.attention.needed) == (Status.DONE, State.CLOSED, False)
    await refused(database, closed, InvalidTransition, close, BO, ref(conversation.id))
    await refused(database, closed, InvalidTransition, claim, BO, ref(conversation.id))
    opened = await database.command(reopen, BO, ref(conversation.id))
    assert (opened.status, opened.state) == (Status.IN_PROGRESS, State.OPEN)
    await refused(database, opened, InvalidTransition, reopen, BO, ref(conversation.id))


async def test_a_snoozed_conversation_needs_nobody(
    database: Database, clock: ManualClock, conversation: Conversation
) -> None:
    asleep = await database.command(snooze, BO, ref(conversation.id), START + HOUR)
    assert (asleep.state, asleep.snooze_until) == (State.SNOOZED, START + HOUR)
    assert asleep.attention.needed is False
    assert (await stored(database, conversation.id)).turns_at == START + HOUR
    awake = await database.command(unsnooze, BO, ref(conversation.id))
    assert (awake.state, awake.snooze_until, awake.attention.level) == (State.OPEN, None, Level.LOW)
    assert (await stored(database, conversation.id)).turns_at is None
    await refused(database, awake, InvalidTransition, unsnooze, BO, ref(conversation.id))
    await refused(database, awake, InvalidInput, snooze, BO, ref(conversation.id), START)
    await database.command(close, BO, ref(conversation.id))
    await refused(database, awake, InvalidTransition, snooze, BO, ref(conversation.id), START + HOUR)


# ---- messages of the customer


async def test_a_message_of_the_customer_opens_everything(
    database: Database, clock: ManualClock, desk: Desk, conversation: Conversation
) -> None:
    await database.command(snooze, BO, ref(conversation.id), START + DAY)
    await database.command(close, BO, ref(conversation.id))
    clock.advance(60)
    after = await receive(database, desk.ana, desk.whatsapp)
    assert after.id == conversation.id
    assert (after.status, after.state, after.snooze_until) == (Status.TO_DO, State.OPEN, None)
    assert after.unread_customer_messages_count == 1
    assert after.last_customer_reply_from == clock.now
    assert after.reply_until == clock.now + DAY
    assert after.turns_at == clock.now + DAY - HOUR
    assert after.attention.reasons == ("TO_DO",)
    found = await message(database, after.latest_message_id or 0)
    assert (found.author, found.status) == (MessageAuthor.CUSTOMER, MessageStatus.DELIVERED)


async def test_a_message_of_the_customer_ends_a_snooze(
    database: Database, desk: Desk, conversation: Conversation
) -> None:
    await database.command(claim, BO, ref(conversation.id))
    await database.command(snooze, BO, ref(conversation.id), START + DAY)
    after = await receive(database, desk.ana, desk.whatsapp)
    assert (after.status, after.state, after.snooze_until) == (Status.IN_PROGRESS, State.OPEN, None)
    assert after.attention.reasons == ("UNREAD",)


async def test_a_first_message_opens_the_conversation(database: Database, desk: Desk) -> None:
    after = await receive(database, desk.wim, desk.widget)
    assert (after.conversation_id, after.channel_agent_id, after.reply_until) == (1, desk.widget, None)
    assert [event.topic for event in await told(database)] == [
        "conversation.created",
        "attention.raised",
        "conversation.message_received",
    ]


@pytest.mark.parametrize("missing", ["customer_id", "channel_agent_id"])
async def test_a_first_message_needs_both_partners(
    database: Database, desk: Desk, conversation: Conversation, missing: str
) -> None:
    target = {"kind": "conversation", "customer_id": desk.ana, "channel_agent_id": desk.whatsapp, missing: None}
    fault = await refused(database, conversation, InvalidInput, receive_message, BO, target, TEXT)
    assert fault.path[-1] == missing


async def test_reading_clears_what_is_unread(database: Database, desk: Desk, conversation: Conversation) -> None:
    await database.command(claim, BO, ref(conversation.id))
    await receive(database, desk.ana, desk.whatsapp)
    waiting = await receive(database, desk.ana, desk.whatsapp)
    assert waiting.unread_customer_messages_count == 2
    assert waiting.attention.level is Level.NORMAL
    read = await database.command(mark_read, BO, ref(conversation.id))
    assert read.unread_customer_messages_count == 0
    assert read.attention.needed is False
    assert read.version == waiting.version
    assert (await message(database, waiting.latest_message_id or 0)).status is MessageStatus.READ


async def test_the_last_reply_survives_the_deletion_of_its_message(
    database: Database, clock: ManualClock, desk: Desk
) -> None:
    after = await receive(database, desk.ana, desk.whatsapp)
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
    await refused(database, conversation, Unreachable, receive_message, BO, target, TEXT)
    await database.command(_block, desk.blocked_profile, False)
    known = await receive(database, desk.blocked, desk.whatsapp)
    await database.command(_block, desk.blocked_profile, True)
    await refused(database, known, Unreachable, receive_message, BO, target, TEXT)
    await refused(database, known, Unreachable, send_message, BO, ref(known.id), REPLY)
    clock.advance(DAY.total_seconds())
    await refused(database, known, Unreachable, restart_conversation, BO, ref(known.id))


def _block(work: Work, profile_id: int, blocked: bool) -> None:
    profiles = work.use(ProfileRepository)
    before = profiles.get(profile_id)
    assert before is not None
    profiles.save(before, replace(before, blocked=blocked))


# ---- messages to the customer


async def sent(database: Database, conversation: Conversation, **fields: Any) -> Message:
    posted = await database.command(send_message, BO, ref(conversation.id), REPLY, fields=fields or None)
    return await message(database, posted.message)


async def error_of(database: Database, found: Message) -> tuple[str, str]:
    def read(work: Work) -> tuple[str, str]:
        row = work.connection.execute(
            sa.select(message_error.c.type, message_error.c.original_message).where(
                message_error.c.id == found.latest_error_id
            )
        ).one()
        return row.type, row.original_message

    return await database.command(read)


async def test_within_the_window_a_message_is_sent(database: Database, clock: ManualClock, desk: Desk) -> None:
    opened = await receive(database, desk.ana, desk.whatsapp)
    clock.advance(DAY.total_seconds() - 1)
    found = await sent(database, opened)
    assert (found.status, found.latest_error_id) == (MessageStatus.CREATED, None)
    assert (await stored(database, opened.id)).turns_at is None


async def test_outside_the_window_it_is_accepted_with_an_error(
    database: Database, clock: ManualClock, desk: Desk
) -> None:
    opened = await receive(database, desk.ana, desk.whatsapp)
    clock.advance(DAY.total_seconds())
    found = await sent(database, opened)
    assert found.status is MessageStatus.ERROR
    assert await error_of(database, found) == (MessageErrorType.OTHER, "The reply window is closed.")
    assert (await stored(database, opened.id)).latest_message_id == found.id


@pytest.mark.parametrize(("customer", "agent"), [("wim", "widget"), ("bea", "bridge")])
async def test_without_a_window_it_is_never_too_late(
    database: Database, clock: ManualClock, desk: Desk, customer: str, agent: str
) -> None:
    opened = await receive(database, getattr(desk, customer), getattr(desk, agent))
    clock.advance(30 * DAY.total_seconds())
    assert (await sent(database, opened)).status is MessageStatus.CREATED


async def test_through_a_channel_agent_that_is_not_in_sync_it_fails(database: Database, desk: Desk) -> None:
    opened = await receive(database, desk.ana, desk.apart)
    found = await sent(database, opened)
    assert found.status is MessageStatus.ERROR
    assert await error_of(database, found) == (MessageErrorType.OTHER, "The channel agent is not connected.")


async def test_a_campaign_needs_no_window(database: Database, conversation: Conversation) -> None:
    campaign = {"source": MessageSource.WHATSAPP_CAMPAIGN, "campaign_id": 5, "campaign_name": "Spring"}
    found = await sent(database, conversation, **campaign)
    assert (found.status, found.campaign_name) == (MessageStatus.CREATED, "Spring")


async def test_a_notice_of_the_system_does_not_reach_the_channel(
    database: Database, conversation: Conversation
) -> None:
    posted = await database.command(send_message, BO, ref(conversation.id), REPLY, author=MessageAuthor.SYSTEM)
    assert (await message(database, posted.message)).status is MessageStatus.CREATED


async def test_the_channel_reports_how_far_a_message_came(database: Database, desk: Desk) -> None:
    opened = await receive(database, desk.ana, desk.whatsapp)
    found = await sent(database, opened)
    for status in (MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ):
        await database.command(report_message_status, BO, GlobalId("msg", found.id), status)
        assert (await message(database, found.id)).status is status


async def test_reactions_and_notes(database: Database, desk: Desk) -> None:
    opened = await receive(database, desk.ana, desk.whatsapp)
    latest = GlobalId("msg", opened.latest_message_id or 0)
    await database.command(set_reaction, BO, latest, "👍")
    await database.command(set_reaction, BO, latest, "🎉", of_customer=True)
    found = await message(database, latest.number)
    assert (found.agent_reaction, found.customer_reaction) == ("👍", "🎉")
    noted = await database.command(add_note, BO, ref(opened.id), "Call back")
    assert (await stored(database, opened.id)).latest_note_id == noted.note


async def test_labels(database: Database, conversation: Conversation) -> None:
    labelled = await database.command(set_labels, BO, ref(conversation.id), ["vip"])
    assert labelled.labels == ("vip",)


# ---- restart


async def test_a_restart_waits_for_the_customer(database: Database, clock: ManualClock, desk: Desk) -> None:
    opened = await receive(database, desk.ana, desk.whatsapp)
    await refused(database, opened, InvalidTransition, restart_conversation, BO, ref(opened.id))
    clock.advance(DAY.total_seconds())
    posted = await database.command(restart_conversation, BO, ref(opened.id))
    first = await message(database, posted.message)
    assert (first.status, first.author, first.user_id) == (MessageStatus.CREATED, MessageAuthor.USER, BO.user_id)
    assert first.text == RESTART_TEXT
    waits = await stored(database, opened.id)
    assert waits.customer_interaction_required is True
    assert waits.reply_until == clock.now + DAY
    assert waits.latest_message_id == first.id
    assert [event.topic for event in await told(database)][-2:] == [
        "conversation.message_sent",
        "conversation.restarted",
    ]
    assert (await sent(database, opened)).status is MessageStatus.ERROR
    answered = await receive(database, desk.ana, desk.whatsapp)
    assert answered.customer_interaction_required is False
    assert (await sent(database, opened)).status is MessageStatus.CREATED


async def test_a_restart_says_what_is_given(database: Database, conversation: Conversation) -> None:
    for text, error in ((" ", InvalidInput), ("x" * 65_537, TooLong)):
        fault = await refused(database, conversation, error, restart_conversation, BO, ref(conversation.id), text=text)
        assert fault.path == ("text",)
    posted = await database.command(restart_conversation, BO, ref(conversation.id), text="Shall we go on?")
    assert (await message(database, posted.message)).text == "Shall we go on?"


async def test_a_restart_that_cannot_be_sent_requires_nothing(database: Database, desk: Desk) -> None:
    opened = await database.command(open_for, BO, desk.ana, desk.apart)
    posted = await database.command(restart_conversation, BO, ref(opened.id))
    found = await message(database, posted.message)
    assert found.status is MessageStatus.ERROR
    after = await stored(database, opened.id)
    assert (after.reply_until, after.customer_interaction_required) == (None, False)


# ---- attention


async def test_attention_by_hand(database: Database, conversation: Conversation) -> None:
    await refused(database, conversation, NotClearable, clear_attention, BO, ref(conversation.id))
    raised = await database.command(raise_attention, BO, ref(conversation.id), Level.URGENT)
    assert raised.attention.reasons == ("TO_DO", "RAISED")
    assert (raised.attention.level, raised.attention.reason) == (Level.URGENT, "RAISED")
    known = await database.command(acknowledge, BO, ref(conversation.id))
    assert known.attention.acknowledged_by == BO.user_id
    cleared = await database.command(clear_attention, BO, ref(conversation.id))
    assert (cleared.attention.level, cleared.attention.reason) == (Level.LOW, "TO_DO")
    await database.command(claim, BO, ref(conversation.id))
    await refused(database, conversation, Conflict, acknowledge, BO, ref(conversation.id))
