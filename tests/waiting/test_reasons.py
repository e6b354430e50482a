"""Why a human is needed beyond the wait itself, kind by kind."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from app.core.events import topic_name
from app.core.ids import GlobalId
from app.interactions.messages import MessageAuthor, MessageStatus
from app.interactions.model import Level, State
from app.interactions.service.deadlines import fire_due
from app.interactions.service.deliveries import report_message_status
from app.interactions.service.holding import claim
from app.interactions.service.messages import mark_read
from app.interactions.service.state import clear_attention, raise_attention, resume_bot, snooze
from app.kinds.agent_session.service import update
from app.kinds.chat_session.model.session import ChatSessionStatus
from app.kinds.chat_session.service.queue import pick_up_chat_session, reset_chat_session
from app.kinds.chat_session.service.sessions import update_chat_session
from app.kinds.chat_session.service.topics import update_chat_topic
from app.kinds.conversation.service import restart_conversation
from tests.conftest import START
from tests.kinds.conftest import ADA, BO
from tests.waiting.floor import EVE, Floor

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parents[2] / "docs"
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
ESCALATED = {"resolution_status": "escalated"}


# ---- the reply window ---------------------------------------------------------------------------------------------


async def test_reply_window_that_closes_on_a_waiting_customer_is_missed(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.do(claim, BO, ref)
    await floor.do(mark_read, BO, ref)
    await floor.pass_until(START + DAY - HOUR)
    assert (await floor.stored(ref)).attention.reason == "REPLY_WINDOW"
    await floor.pass_until(START + DAY)
    after = await floor.stored(ref)
    assert (after.attention.reason, after.attention.level) == ("MISSED", Level.HIGH)
    assert (await floor.topics(ref))[-2:] == ["conversation.reply_window_closed", "attention.changed"]


async def test_missed_reply_window_ends_with_a_restart_and_with_the_customers_next_message(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.pass_until(START + DAY)
    await floor.do(restart_conversation, BO, ref)
    assert "MISSED" not in await floor.reasons(ref)
    await floor.pass_until(START + 3 * DAY)
    await floor.hear_in(ref)
    await floor.pass_until(START + 4 * DAY)
    assert "MISSED" in await floor.reasons(ref)
    await floor.hear_in(ref)
    assert "MISSED" not in await floor.reasons(ref)


async def test_failed_restart_is_told_and_can_be_repeated(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.pass_until(START + DAY)
    posted = await floor.do(restart_conversation, BO, ref)
    await floor.fail(posted.message)
    assert {"MISSED", "DELIVERY_FAILED"} <= await floor.reasons(ref)
    await floor.do(restart_conversation, BO, ref)
    assert not {"MISSED", "DELIVERY_FAILED"} & await floor.reasons(ref)


async def test_snooze_of_a_waiting_customer_ends_before_the_reply_window(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.do(claim, BO, ref)
    await floor.do(snooze, BO, ref, START + 2 * DAY)
    await floor.pass_until(START + DAY - HOUR)
    after = await floor.stored(ref)
    assert (after.state, after.attention.reason) == (State.OPEN, "REPLY_WINDOW")
    await floor.do(snooze, BO, ref, START + 2 * DAY)
    await floor.pass_until(START + DAY)
    after = await floor.stored(ref)
    assert (after.state, after.attention.reason) == (State.OPEN, "MISSED")


async def test_snooze_that_ends_is_told_though_no_customer_waits(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.do(claim, BO, ref)
    await floor.answer(ref)
    await floor.do(snooze, BO, ref, START + HOUR)
    await floor.pass_until(START + HOUR)
    after = await floor.stored(ref)
    assert (after.attention.reasons, after.assignee_id) == (("TO_DO",), BO.user_id)
    assert (await floor.topics(ref))[-2:] == ["conversation.snooze_ended", "attention.raised"]
    await floor.answer(ref)
    assert (await floor.stored(ref)).attention.needed is False


async def test_sequence_of_a_conversations_events_is_the_documented_one(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.do(claim, BO, ref, lease_seconds=600)
    await floor.hear_in(ref)
    await floor.fail(await floor.answer(ref))
    await floor.pass_until(START + timedelta(seconds=600))
    await floor.pass_until(START + DAY - HOUR)
    await floor.pass_until(START + DAY)
    await floor.do(restart_conversation, EVE, ref)
    page = (DOCS / "attention.md").read_text(encoding="utf-8")
    sequence = page[page.index("A conversation, step by step") : page.index("## Whom it asks")]
    documented = re.findall(r"`((?:INTERACTION|ATTENTION)_[A-Z_]+)`", sequence)
    assert [topic_name(topic, "conversation") for topic in await floor.topics(ref)] == documented


# ---- chats --------------------------------------------------------------------------------------------------------


async def test_bot_message_in_a_queued_chat_leaves_it_in_the_queue(floor: Floor) -> None:
    ref = await floor.opened("chat_session")
    await floor.answer(ref, author=MessageAuthor.BOT)
    after = await floor.stored(ref)
    assert (after.status, after.waiting.since) == (ChatSessionStatus.IN_QUEUE, START)
    assert (await floor.do(pick_up_chat_session, BO, ref)).assignee_id == BO.user_id


@pytest.mark.parametrize("status", [ChatSessionStatus.OFFLINE_FORM, ChatSessionStatus.REQUEST_POSTED])
async def test_missed_chat_is_seen_until_it_is_picked_up(floor: Floor, status: ChatSessionStatus) -> None:
    ref = await floor.opened("chat_session")
    await floor.do(reset_chat_session, BO, ref)
    if status is ChatSessionStatus.REQUEST_POSTED:
        await floor.do(update_chat_session, BO, ref, {"status": status})
    after = await floor.stored(ref)
    assert (after.status, after.state) == (status, State.OPEN)
    assert (after.attention.reason, after.attention.level) == ("MISSED", Level.HIGH)
    assert await floor.queue() == [str(ref)]
    picked_up = await floor.do(pick_up_chat_session, BO)
    assert (picked_up.id, picked_up.assignee_id, picked_up.when_ended) == (ref.number, BO.user_id, None)
    assert await floor.reasons(ref) == {"CUSTOMER_WAITING"}


@pytest.mark.parametrize("status", ["IN_QUEUE", "OFFLINE_FORM", "REQUEST_POSTED"])
async def test_bot_is_out_of_charge_once_a_human_was_asked_for(floor: Floor, status: str) -> None:
    ref = await floor.opened("chat_session")
    await floor.do(resume_bot, BO, ref)
    assert await floor.reasons(ref) == set()
    await floor.do(update_chat_session, BO, ref, {"status": ChatSessionStatus(status)})
    before = await floor.stored(ref)
    assert before.bot_active is False
    await floor.answer(ref, author=MessageAuthor.BOT)
    after = await floor.stored(ref)
    assert (after.status, after.waiting, after.attention) == (status, before.waiting, before.attention)
    assert after.attention.reason == ("QUEUED" if status == "IN_QUEUE" else "MISSED")


async def test_question_in_the_queue_waits_after_a_pick_up_with_a_welcome(floor: Floor) -> None:
    topic = GlobalId("top", floor.targets["chat_session"]["chat_topic_id"])
    await floor.do(update_chat_topic, ADA, topic, {"welcome_message": "Welcome!"})
    ref = await floor.opened("chat_session")
    await floor.do(pick_up_chat_session, BO, ref)
    after = await floor.stored(ref)
    assert (after.status, after.last_message) == (ChatSessionStatus.USER_LAST, "Welcome!")
    assert (after.waiting.since, set(after.attention.reasons)) == (START, {"CUSTOMER_WAITING"})
    assert after.unread_customer_messages_count == 1


async def test_welcome_that_a_user_writes_answers_nothing(floor: Floor) -> None:
    ref = await floor.opened("chat_session")
    await floor.do(pick_up_chat_session, BO, ref)
    await floor.answer(ref, fields={"special_type": "WELCOME"})
    assert (await floor.stored(ref)).waiting.since == START
    await floor.answer(ref)
    assert (await floor.stored(ref)).waiting.since is None


async def test_missed_chat_stays_missed_when_its_customer_writes(floor: Floor) -> None:
    ref = await floor.opened("chat_session")
    await floor.do(reset_chat_session, BO, ref)
    await floor.hear_in(ref)
    assert (await floor.stored(ref)).attention.reason == "MISSED"
    assert (await floor.topics(ref))[-1] == "attention.renewed"


async def test_chat_outside_opening_hours_takes_the_offline_way(floor: Floor) -> None:
    topic = GlobalId("top", floor.targets["chat_session"]["chat_topic_id"])
    hours = [{"day": "MONDAY", "opens": "18:00", "closes": "24:00"}]
    await floor.do(update_chat_topic, ADA, topic, {"opening_hours": hours, "bot_enabled": True})
    ref = await floor.opened("chat_session")
    after = await floor.stored(ref)
    assert (after.status, after.bot_active) == (ChatSessionStatus.OFFLINE_FORM, False)
    assert after.attention.reason == "MISSED"


async def test_chat_within_opening_hours_begins_as_its_topic_says(floor: Floor) -> None:
    topic = GlobalId("top", floor.targets["chat_session"]["chat_topic_id"])
    hours = [{"day": "MONDAY", "opens": "08:00", "closes": "10:00"}]
    await floor.do(update_chat_topic, ADA, topic, {"opening_hours": hours})
    assert (await floor.stored(await floor.opened("chat_session"))).status is ChatSessionStatus.IN_QUEUE


# ---- AgentSessions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("busy", ["escalated", "held", "waiting"])
async def test_busy_agent_session_is_not_erased_by_its_idle_time(floor: Floor, busy: str) -> None:
    ref = await floor.opened("agent_session")
    await floor.do(update, BO, ref, {"tti_minutes": 60})
    if busy != "waiting":
        await floor.answer(ref, author=MessageAuthor.AI_AGENT)
    if busy == "escalated":
        await floor.do(update, BO, ref, {"metadata": ESCALATED})
        assert (await floor.stored(ref)).waiting.since is None
    if busy == "held":
        await floor.do(claim, BO, ref)
        await floor.answer(ref)
    await floor.pass_until(START + DAY)
    assert (await floor.stored(ref)).id == ref.number
    document = "query($id: ID!) { interaction(id: $id) { ... on AgentSession { expiresAt } } }"
    assert (await floor.graph.read(document, BO, id=str(ref)))["interaction"] == {"expiresAt": None}


async def test_idle_agent_session_is_erased(floor: Floor) -> None:
    ref = await floor.opened("agent_session")
    await floor.do(update, BO, ref, {"tti_minutes": 60})
    await floor.answer(ref, author=MessageAuthor.AI_AGENT)
    floor.clock.advance(3600)
    await floor.do(fire_due, 10)
    assert (await floor.topics(ref))[-1] == "agent_session.deleted"


async def test_held_agent_session_without_its_escalation_keeps_its_waiting_customer_seen(floor: Floor) -> None:
    ref = await floor.opened("agent_session")
    await floor.do(update, BO, ref, {"metadata": ESCALATED})
    await floor.do(claim, BO, ref)
    await floor.do(update, BO, ref, {"metadata": {}})
    assert await floor.reasons(ref) == {"CUSTOMER_WAITING"}


# ---- Sessions -----------------------------------------------------------------------------------------------------


async def test_held_session_does_not_end_while_its_customer_waits(floor: Floor) -> None:
    ref = await floor.opened("session")
    await floor.do(claim, BO, ref)
    await floor.pass_until(START + DAY)
    assert (await floor.stored(ref)).state is State.OPEN
    assert await floor.hear("session") == (ref.number, 2)
    await floor.answer(ref)
    await floor.pass_until(START + 2 * DAY)
    assert (await floor.stored(ref)).state is State.CLOSED


@pytest.mark.parametrize("held", [False, True])
async def test_session_for_which_a_human_was_asked_by_hand_does_not_end_unseen(floor: Floor, held: bool) -> None:
    ref = await floor.opened("session")
    await floor.answer(ref, author=MessageAuthor.BOT)
    await floor.do(raise_attention, BO, ref)
    if held:
        await floor.do(claim, BO, ref, lease_seconds=2 * 3600 + 60)
    await floor.pass_until(START + DAY)
    after = await floor.stored(ref)
    assert (after.state, after.assignee_id) == (State.OPEN, None)
    assert {"FLAGGED", "RAISED"} <= set(after.attention.reasons)
    assert await floor.queue() == [str(ref)]
    await floor.do(clear_attention, BO, ref)
    assert (await floor.stored(ref)).state is State.CLOSED


async def test_status_of_a_message_that_is_no_answer_changes_no_wait(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    question = GlobalId("msg", 1)
    await floor.do(claim, EVE, ref)
    before = await floor.stored(ref)
    await floor.do(report_message_status, BO, question, MessageStatus.READ)
    assert (await floor.stored(ref)).waiting == before.waiting
