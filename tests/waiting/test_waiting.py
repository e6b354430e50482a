"""Who waits: what begins, keeps and ends the wait of a customer, for all kinds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.ids import GlobalId
from app.interactions.messages import MessageAuthor
from app.interactions.service.deliveries import delete_message
from app.interactions.service.holding import claim, release
from app.interactions.service.messages import mark_read
from app.interactions.service.state import acknowledge, close, raise_attention, reopen, resume_bot
from app.interactions.waiting import MOST_UNANSWERED, NOT_WAITING, Waiting, answered, asked, settled
from app.kinds.agent_session.service import update as update_agent_session
from app.kinds.chat_session.service.queue import reset_chat_session
from app.kinds.session.service import update as update_session
from tests.conftest import START
from tests.kinds.conftest import BO
from tests.waiting.floor import EVE, Floor

pytestmark = pytest.mark.anyio

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
CLOSING = ("agent_session", "chat_session", "conversation")


def test_waiting_counts_no_more_than_its_limit() -> None:
    waiting = Waiting(since=START, unanswered=MOST_UNANSWERED)
    assert asked(waiting, START + HOUR) == waiting


def test_waiting_ends_with_an_answer_that_is_delivered() -> None:
    waiting = asked(asked(Waiting(settled_id=3), START), START + HOUR)
    assert waiting == Waiting(since=START, unanswered=2, settled_id=3)
    assert answered(waiting, delivered=False) == replace(waiting, failed=True)
    assert answered(waiting, delivered=True) == Waiting(settled_id=3)
    assert settled(waiting, 5) == Waiting(settled_id=5)


async def test_waiting_begins_with_the_first_unanswered_message(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    floor.clock.advance(5)
    await floor.hear_in(ref)
    assert (await floor.stored(ref)).waiting == Waiting(since=START, unanswered=2)
    document = "query($id: ID!) { interaction(id: $id) { waitingSince unansweredMessagesCount } }"
    found = await floor.graph.read(document, BO, id=str(ref))
    assert found["interaction"] == {"waitingSince": "2026-01-05T09:00:00.000000Z", "unansweredMessagesCount": 2}


async def test_waiting_is_not_ended_by_reading(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref)
    await floor.do(mark_read, BO, ref)
    after = await floor.stored(ref)
    assert after.waiting == Waiting(since=START, unanswered=1)
    assert "CUSTOMER_WAITING" in after.attention.reasons


async def test_waiting_ends_with_a_users_answer_which_reads_what_it_answers(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref)
    await floor.answer(ref)
    after = await floor.stored(ref)
    assert (after.waiting, after.unread_customer_messages_count) == (NOT_WAITING, 0)
    assert "CUSTOMER_WAITING" not in after.attention.reasons


@pytest.mark.parametrize("author", [MessageAuthor.BOT, MessageAuthor.AI_AGENT, MessageAuthor.SYSTEM])
async def test_waiting_for_a_human_is_not_ended_by_a_machine(floor: Floor, kind: str, author: MessageAuthor) -> None:
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref)
    before = await floor.stored(ref)
    await floor.answer(ref, author=author)
    after = await floor.stored(ref)
    assert after.waiting == Waiting(since=START, unanswered=1)
    assert after.attention == before.attention


async def ask(floor: Floor, ref: GlobalId, kind: str) -> None:
    """Ask for a human by the kind's own means."""
    match kind:
        case "session":
            await floor.do(update_session, BO, {"need_attention": True}, ref=str(ref))
        case "agent_session":
            await floor.do(update_agent_session, BO, str(ref), {"metadata": {"priority": "urgent"}})
        case "chat_session":
            await floor.do(reset_chat_session, BO, ref)


@pytest.mark.parametrize("author", [MessageAuthor.BOT, MessageAuthor.AI_AGENT, MessageAuthor.SYSTEM])
@pytest.mark.parametrize("raised", [False, True])
async def test_waiting_for_a_human_whom_nobody_is_yet_is_not_ended_by_a_machine(
    floor: Floor, kind: str, author: MessageAuthor, raised: bool
) -> None:
    ref = await floor.opened(kind)
    if raised:
        if kind == "chat_session":
            await floor.do(resume_bot, BO, ref)
        await floor.do(raise_attention, BO, ref)
    else:
        await ask(floor, ref, kind)
    before = await floor.stored(ref)
    assert before.attention.needed
    await floor.answer(ref, author=author)
    after = await floor.stored(ref)
    assert (after.waiting, after.attention) == (Waiting(since=START, unanswered=1), before.attention)


async def test_waiting_with_a_bot_in_charge_is_ended_by_the_bot(floor: Floor) -> None:
    for kind in ("session", "agent_session"):
        ref = await floor.opened(kind)
        assert await floor.reasons(ref) == set()
        await floor.answer(ref, author=MessageAuthor.AI_AGENT)
        assert (await floor.stored(ref)).waiting == NOT_WAITING


async def test_waiting_keeps_the_order_of_arrival_and_not_of_clocks(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    floor.clock.advance(1.5)
    await floor.do(claim, BO, ref)
    await floor.answer(ref)
    floor.clock.advance(0.4)
    await floor.hear_in(ref, sent_at=START + SECOND)
    after = await floor.stored(ref)
    assert after.waiting == Waiting(since=floor.clock.now, unanswered=1)
    assert "CUSTOMER_WAITING" in after.attention.reasons


async def test_waiting_is_found_again_by_the_order_of_arrival(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    floor.clock.advance(1.5)
    await floor.do(claim, BO, ref)
    await floor.answer(ref)
    floor.clock.advance(0.4)
    await floor.hear_in(ref, sent_at=START + SECOND)
    arrived = floor.clock.now
    floor.clock.advance(60)
    answer = await floor.answer(ref)
    await floor.do(delete_message, BO, GlobalId("msg", answer))
    assert (await floor.stored(ref)).waiting == Waiting(since=arrived, unanswered=1)


async def test_waiting_found_again_goes_by_arrival_on_both_sides(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    floor.clock.advance(60)
    await floor.answer(ref)
    floor.clock.advance(10)
    await floor.fail(await floor.answer(ref, fields={"sent_at": START + SECOND}))
    assert (await floor.stored(ref)).waiting == Waiting(failed=True)
    floor.clock.advance(10)
    await floor.hear_in(ref)
    arrived = floor.clock.now
    floor.clock.advance(10)
    await floor.hear_in(ref, sent_at=START + SECOND)
    await floor.do(delete_message, BO, GlobalId("msg", 1))
    assert (await floor.stored(ref)).waiting == Waiting(since=arrived, unanswered=2, failed=True)


async def test_waiting_resumes_when_the_answer_is_deleted(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref)
    answer = await floor.answer(ref)
    await floor.do(delete_message, BO, GlobalId("msg", answer))
    after = await floor.stored(ref)
    assert after.waiting == Waiting(since=START, unanswered=1)
    assert "CUSTOMER_WAITING" in after.attention.reasons


async def test_waiting_ends_when_the_question_is_deleted(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    floor.clock.advance(1)
    second = await floor.hear_in(ref)
    await floor.do(delete_message, BO, GlobalId("msg", second))
    assert (await floor.stored(ref)).waiting == Waiting(since=START, unanswered=1)


@pytest.mark.parametrize("kind", CLOSING, indirect=True)
async def test_waiting_is_ended_by_closing_only_what_was_read(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref)
    await floor.do(close, BO, ref)
    assert (await floor.stored(ref)).attention.needed is False
    await floor.do(reopen, BO, ref)
    assert "CUSTOMER_WAITING" in await floor.reasons(ref)
    await floor.do(mark_read, BO, ref)
    await floor.do(close, BO, ref)
    await floor.do(reopen, BO, ref)
    after = await floor.stored(ref)
    assert (after.waiting.since, after.waiting.unanswered) == (None, 0)
    assert "CUSTOMER_WAITING" not in after.attention.reasons


async def test_waiting_customers_new_words_are_told_though_level_and_reason_stay(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref)
    await floor.do(acknowledge, BO, ref)
    before = await floor.stored(ref)
    await floor.hear_in(ref)
    after = await floor.stored(ref)
    assert (await floor.topics(ref))[-2:] == [f"{kind}.message_received", "attention.renewed"]
    assert (after.attention.level, after.attention.reason) == (before.attention.level, before.attention.reason)
    assert (after.attention.since, after.attention.acknowledged_by) == (before.attention.since, None)


async def test_lease_of_a_holder_is_not_shortened_from_another_tab(floor: Floor, kind: str) -> None:
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref, lease_seconds=3600)
    await floor.do(claim, BO, ref, lease_seconds=60)
    assert (await floor.stored(ref)).claimed_until == START + HOUR
    await floor.do(claim, BO, ref)
    await floor.do(claim, BO, ref, lease_seconds=60)
    assert (await floor.stored(ref)).claimed_until is None
    await floor.do(release, BO, ref)
    await floor.do(claim, EVE, ref, lease_seconds=60)
    assert (await floor.stored(ref)).claimed_until == START + timedelta(seconds=60)
