"""What becomes of messages to the customer: delivered, in error, or as a restart."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.errors import (
    InvalidInput,
    InvalidTransition,
    TooLong,
)
from app.core.ids import GlobalId
from app.interactions.messages import (
    Message,
    MessageAuthor,
    MessageError,
    MessageErrorType,
    MessageSource,
    MessageStatus,
)
from app.interactions.service.deliveries import report_message_status, set_reaction
from app.interactions.service.messages import send_message
from app.interactions.service.notes import add_note
from app.interactions.service.state import set_labels, snooze
from app.interactions.tables import message_error
from app.kinds.conversation.model.conversation import Conversation
from app.kinds.conversation.service.conversations import RESTART_TEXT, restart_conversation
from app.kinds.conversation.service.opening import open_for
from app.storage.database import Database, Work
from tests.conftest import ManualClock
from tests.kinds.conftest import BO
from tests.kinds.conversation.conftest import Desk, message, receive, ref, refused, stored, told

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
TEXT = ({"type": "text", "content": "Where is my parcel?"},)
REPLY = {"type": "text", "content": "On its way."}


@pytest.fixture
async def conversation(database: Database, desk: Desk) -> Conversation:
    return await database.command(open_for, BO, desk.ana, desk.whatsapp)


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
    opened = await stored(database, (await receive(database, desk.ana, desk.whatsapp)).interaction)
    clock.advance(DAY.total_seconds() - 1)
    found = await sent(database, opened)
    assert (found.status, found.latest_error_id) == (MessageStatus.CREATED, None)


async def test_outside_the_window_it_is_accepted_with_an_error(
    database: Database, clock: ManualClock, desk: Desk
) -> None:
    opened = await stored(database, (await receive(database, desk.ana, desk.whatsapp)).interaction)
    clock.advance(DAY.total_seconds())
    found = await sent(database, opened)
    assert found.status is MessageStatus.ERROR
    assert await error_of(database, found) == (MessageErrorType.OTHER, "The reply window is closed.")
    assert (await stored(database, opened.id)).latest_message_id == found.id


@pytest.mark.parametrize(("customer", "agent"), [("wim", "widget"), ("bea", "bridge")])
async def test_without_a_window_it_is_never_too_late(
    database: Database, clock: ManualClock, desk: Desk, customer: str, agent: str
) -> None:
    opened = await stored(
        database, (await receive(database, getattr(desk, customer), getattr(desk, agent))).interaction
    )
    clock.advance(30 * DAY.total_seconds())
    assert (await sent(database, opened)).status is MessageStatus.CREATED


async def test_through_a_channel_agent_that_is_not_in_sync_it_fails(database: Database, desk: Desk) -> None:
    opened = await stored(database, (await receive(database, desk.ana, desk.apart)).interaction)
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
    opened = await stored(database, (await receive(database, desk.ana, desk.whatsapp)).interaction)
    found = await sent(database, opened)
    for status in (MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ):
        await database.command(report_message_status, BO, GlobalId("msg", found.id), status)
        assert (await message(database, found.id)).status is status


async def test_reactions_and_notes(database: Database, desk: Desk) -> None:
    opened = await stored(database, (await receive(database, desk.ana, desk.whatsapp)).interaction)
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
    opened = await stored(database, (await receive(database, desk.ana, desk.whatsapp)).interaction)
    await refused(database, opened.id, InvalidTransition, restart_conversation, BO, ref(opened.id))
    clock.advance(DAY.total_seconds())
    posted = await database.command(restart_conversation, BO, ref(opened.id))
    first = await message(database, posted.message)
    assert (first.status, first.author, first.user_id) == (MessageStatus.CREATED, MessageAuthor.USER, BO.user_id)
    assert first.text == RESTART_TEXT
    waits = await stored(database, opened.id)
    assert waits.customer_interaction_required is True
    assert waits.reply_until == clock.now + DAY
    assert waits.latest_message_id == first.id
    assert [event.topic for event in await told(database)][-3:] == [
        "conversation.message_sent",
        "conversation.restarted",
        "attention.changed",
    ]
    assert (await sent(database, opened)).status is MessageStatus.ERROR
    answered = await stored(database, (await receive(database, desk.ana, desk.whatsapp)).interaction)
    assert answered.customer_interaction_required is False
    assert (await sent(database, opened)).status is MessageStatus.CREATED


async def test_a_restart_says_what_is_given(database: Database, conversation: Conversation) -> None:
    for text, error in ((" ", InvalidInput), ("x" * 65_537, TooLong)):
        fault = await refused(
            database, conversation.id, error, restart_conversation, BO, ref(conversation.id), text=text
        )
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


async def test_a_restart_that_arrived_after_all_shortens_no_snooze(
    database: Database, clock: ManualClock, desk: Desk
) -> None:
    """The window that it opens closes sooner; but the customer has been answered, and waits for nobody."""
    opened = await stored(database, (await receive(database, desk.ana, desk.whatsapp)).interaction)
    clock.advance(DAY.total_seconds())
    restarted = GlobalId("msg", (await database.command(restart_conversation, BO, ref(opened.id))).message)
    lost = MessageError(original_message="The channel does not answer.")
    await database.command(report_message_status, BO, restarted, MessageStatus.ERROR, error=lost)
    clock.advance((DAY - HOUR).total_seconds())
    await database.command(snooze, BO, ref(opened.id), clock.now + 2 * HOUR)
    await database.command(report_message_status, BO, restarted, MessageStatus.DELIVERED)
    after = await stored(database, opened.id)
    assert (after.reply_until, after.snooze_until) == (clock.now + HOUR, clock.now + 2 * HOUR)
