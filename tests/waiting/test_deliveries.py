"""Answers that were not delivered, or are taken back: everything is as if they had not been sent."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.errors import AlreadyClaimed
from app.core.ids import GlobalId
from app.directory.service import deactivate_user
from app.interactions.messages import MessageStatus
from app.interactions.model import Level, State
from app.interactions.service.deliveries import delete_message, report_message_status
from app.interactions.service.holding import assign, claim
from app.interactions.service.messages import mark_read
from app.interactions.service.state import close, snooze
from app.interactions.waiting import NOT_WAITING
from app.kinds.conversation.service import restart_conversation, update_channel_agent
from tests.conftest import START
from tests.kinds.conftest import ADA, BO
from tests.waiting.floor import EVE, Floor

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
LEASE = START + timedelta(seconds=600)


async def test_failed_delivery_is_as_if_nothing_had_been_sent(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.do(claim, BO, ref, lease_seconds=600)
    before = await floor.stored(ref)
    answer = await floor.answer(ref)
    assert (await floor.stored(ref)).claimed_until is None
    await floor.fail(answer)
    after = await floor.stored(ref)
    assert after.waiting == replace(before.waiting, failed=True)
    assert after.claimed_until == START + timedelta(seconds=600)
    assert (after.attention.reason, after.attention.level) == ("DELIVERY_FAILED", Level.HIGH)
    assert set(after.attention.reasons) == {"CUSTOMER_WAITING", "DELIVERY_FAILED"}
    assert (await floor.topics(ref))[-2:] == ["conversation.message_status_reported", "attention.raised"]
    await floor.pass_until(START + timedelta(seconds=600))
    assert (await floor.stored(ref)).assignee_id is None


async def test_failed_delivery_ends_with_an_answer_that_arrives(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.do(claim, BO, ref)
    await floor.fail(await floor.answer(ref))
    await floor.answer(ref)
    after = await floor.stored(ref)
    assert (after.waiting, after.attention.needed) == (NOT_WAITING, False)


async def test_failed_delivery_of_an_older_answer_changes_nothing(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.do(claim, BO, ref)
    older = await floor.answer(ref)
    await floor.answer(ref)
    await floor.fail(older)
    after = await floor.stored(ref)
    assert (after.waiting, after.attention.needed) == (NOT_WAITING, False)


@pytest.mark.parametrize("thanked", [False, True])
async def test_failed_delivery_after_closing_opens_again(floor: Floor, thanked: bool) -> None:
    ref = await floor.opened("conversation")
    await floor.do(claim, BO, ref)
    answer = await floor.answer(ref)
    if thanked:
        await floor.hear_in(ref)
        await floor.do(mark_read, BO, ref)
    await floor.do(close, BO, ref)
    assert (await floor.stored(ref)).state is State.CLOSED
    await floor.fail(answer)
    after = await floor.stored(ref)
    assert (after.state, after.attention.reason) == (State.OPEN, "DELIVERY_FAILED")
    assert after.waiting.since == START
    assert (await floor.topics(ref))[-1] == "attention.raised"


async def test_answer_through_an_account_that_is_not_in_sync_answers_nothing(floor: Floor) -> None:
    ref = await leased(floor)
    await floor.pass_until(START + timedelta(seconds=60))
    await floor.do(update_channel_agent, BO, "cha_1", {"in_sync": False})
    before = await floor.stored(ref)
    await floor.answer(ref)
    after = await floor.stored(ref)
    assert after.waiting == replace(before.waiting, failed=True)
    assert (after.claimed_until, after.unread_customer_messages_count) == (LEASE, 1)
    assert set(after.attention.reasons) == {"CUSTOMER_WAITING", "DELIVERY_FAILED"}


async def test_failed_delivery_ends_a_snooze(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.do(claim, BO, ref)
    answer = await floor.answer(ref)
    await floor.do(snooze, BO, ref, START + HOUR)
    await floor.fail(answer)
    after = await floor.stored(ref)
    assert (after.state, after.attention.reason) == (State.OPEN, "DELIVERY_FAILED")


async def test_failed_delivery_is_told_after_closing_in_whatever_order_failures_are_reported(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.do(claim, BO, ref)
    first, second = await floor.answer(ref), await floor.answer(ref)
    await floor.do(close, BO, ref)
    await floor.fail(second)
    assert (await floor.stored(ref)).state is State.CLOSED
    await floor.fail(first)
    after = await floor.stored(ref)
    assert (after.state, after.waiting.since, after.attention.reason) == (State.OPEN, START, "DELIVERY_FAILED")
    assert (await floor.topics(ref))[-1] == "attention.raised"


async def test_failed_delivery_opens_for_everybody_what_a_user_held_who_has_left(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.do(claim, BO, ref)
    answer = await floor.answer(ref)
    await floor.do(close, BO, ref)
    await floor.do(deactivate_user, ADA, "usr_2")
    await floor.do(report_message_status, EVE, GlobalId("msg", answer), MessageStatus.SENT)
    await floor.fail(answer)
    after = await floor.stored(ref)
    assert (after.state, after.assignee_id) == (State.OPEN, None)
    assert "ORPHANED" not in after.attention.reasons


# ---- the lease that an answer ends --------------------------------------------------------------------------------


async def leased(floor: Floor, kind: str = "conversation") -> GlobalId:
    """What Bo has claimed for ten minutes."""
    ref = await floor.opened(kind)
    await floor.do(claim, BO, ref, lease_seconds=600)
    return ref


async def test_lease_runs_again_only_when_no_answer_since_the_claim_stands(floor: Floor) -> None:
    ref = await leased(floor)
    first, second = await floor.answer(ref), await floor.answer(ref)
    await floor.fail(second)
    assert (await floor.stored(ref)).claimed_until is None
    await floor.fail(first)
    assert (await floor.stored(ref)).claimed_until == LEASE


async def test_lease_does_not_run_again_by_the_failure_of_an_answer_before_the_claim(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    before = await floor.answer(ref)
    await floor.do(claim, BO, ref, lease_seconds=600)
    await floor.answer(ref)
    await floor.fail(before)
    assert (await floor.stored(ref)).claimed_until is None


async def test_lease_runs_again_when_the_answer_is_deleted(floor: Floor, kind: str) -> None:
    ref = await leased(floor, kind)
    answer = await floor.answer(ref)
    assert (await floor.stored(ref)).claimed_until is None
    await floor.do(delete_message, BO, GlobalId("msg", answer))
    assert (await floor.stored(ref)).claimed_until == LEASE
    await floor.pass_until(LEASE)
    assert (await floor.stored(ref)).assignee_id is None


async def test_lease_ends_again_when_the_answer_has_arrived_after_all(floor: Floor) -> None:
    ref = await leased(floor)
    answer = await floor.answer(ref)
    await floor.fail(answer)
    await floor.do(report_message_status, BO, GlobalId("msg", answer), MessageStatus.READ)
    after = await floor.stored(ref)
    assert (after.claimed_until, after.waiting) == (None, NOT_WAITING)
    await floor.pass_until(LEASE)
    assert (await floor.stored(ref)).assignee_id == BO.user_id


@pytest.mark.parametrize("how", ["claimed for good", "assigned"])
async def test_lease_that_was_given_up_never_runs_again(floor: Floor, how: str) -> None:
    ref = await leased(floor)
    answer = await floor.answer(ref)
    if how == "assigned":
        await floor.do(assign, BO, ref, BO.user_id)
    else:
        await floor.do(claim, BO, ref)
    await floor.fail(answer)
    after = await floor.stored(ref)
    assert (after.assignee_id, after.claimed_until, after.waiting.since) == (BO.user_id, None, START)


# ---- restarts -----------------------------------------------------------------------------------------------------


async def test_failed_restart_is_told_though_an_answer_was_tried_after_it(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.pass_until(START + DAY)
    restart = await floor.do(restart_conversation, BO, ref)
    await floor.answer(ref)
    await floor.fail(restart.message)
    after = await floor.stored(ref)
    assert {"MISSED", "DELIVERY_FAILED"} <= set(after.attention.reasons)
    assert (after.customer_interaction_required, after.reply_until) == (False, START + DAY)
    await floor.do(restart_conversation, BO, ref)
    assert not {"MISSED", "DELIVERY_FAILED"} & await floor.reasons(ref)


async def test_failed_answer_from_before_a_restart_leaves_the_restart_as_it_is(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    answer = await floor.answer(ref)
    await floor.pass_until(START + DAY)
    await floor.do(restart_conversation, BO, ref)
    await floor.fail(answer)
    after = await floor.stored(ref)
    assert (after.customer_interaction_required, after.waiting) == (True, NOT_WAITING)


async def arrive(floor: Floor, message: int) -> None:
    await floor.do(report_message_status, BO, GlobalId("msg", message), MessageStatus.DELIVERED)


async def test_restart_that_arrived_after_all_stands_again(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.pass_until(START + DAY)
    restart = await floor.do(restart_conversation, BO, ref)
    standing = await floor.stored(ref)
    await floor.pass_until(START + DAY + HOUR)
    await floor.fail(restart.message)
    await arrive(floor, restart.message)
    after = await floor.stored(ref)
    assert (after.customer_interaction_required, after.reply_until) == (True, standing.reply_until)
    assert (after.waiting, after.attention) == (standing.waiting, standing.attention)


async def test_restart_through_an_account_not_in_sync_stands_once_it_arrived(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.pass_until(START + DAY)
    await floor.do(update_channel_agent, BO, "cha_1", {"in_sync": False})
    before = await floor.stored(ref)
    restart = await floor.do(restart_conversation, BO, ref)
    tried = await floor.stored(ref)
    assert (tried.customer_interaction_required, tried.reply_until) == (False, before.reply_until)
    await arrive(floor, restart.message)
    after = await floor.stored(ref)
    assert (after.customer_interaction_required, after.reply_until) == (True, START + 2 * DAY)
    assert after.waiting == NOT_WAITING


async def test_restart_that_failed_gives_way_to_an_older_one_that_stands(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.pass_until(START + DAY)
    first = await floor.do(restart_conversation, BO, ref)
    await floor.fail(first.message)
    await floor.pass_until(START + DAY + HOUR)
    second = await floor.do(restart_conversation, BO, ref)
    await arrive(floor, first.message)
    assert (await floor.stored(ref)).reply_until == START + 2 * DAY + HOUR
    await floor.fail(second.message)
    after = await floor.stored(ref)
    assert (after.customer_interaction_required, after.reply_until) == (True, START + 2 * DAY)


async def test_restart_that_arrives_after_the_customer_has_written_changes_nothing(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.pass_until(START + DAY)
    restart = await floor.do(restart_conversation, BO, ref)
    await floor.fail(restart.message)
    await floor.hear_in(ref)
    before = await floor.stored(ref)
    await arrive(floor, restart.message)
    after = await floor.stored(ref)
    assert (after.customer_interaction_required, after.reply_until) == (False, before.reply_until)


async def test_restart_answers_as_any_reply_does(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.pass_until(START + DAY)
    await floor.do(claim, BO, ref, lease_seconds=600)
    await floor.do(restart_conversation, BO, ref)
    after = await floor.stored(ref)
    assert (after.waiting, after.unread_customer_messages_count, after.claimed_until) == (NOT_WAITING, 0, None)


async def test_restart_of_what_another_user_holds_needs_override(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.pass_until(START + DAY)
    await floor.do(claim, BO, ref)
    told = await floor.topics(ref)
    with pytest.raises(AlreadyClaimed):
        await floor.do(restart_conversation, EVE, ref)
    assert await floor.topics(ref) == told
    payload = await floor.graph.do(
        "restartConversation", {"id": str(ref), "override": True}, "conversation { assignee { id } }", EVE
    )
    assert payload["conversation"] == {"assignee": {"id": "usr_2"}}
    assert (await floor.stored(ref)).waiting == NOT_WAITING


# ---- answers that are deleted -------------------------------------------------------------------------------------


async def test_snooze_ends_before_the_reply_window_once_the_answer_is_deleted(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    answer = await floor.answer(ref)
    await floor.do(snooze, BO, ref, START + 2 * DAY)
    await floor.do(delete_message, BO, GlobalId("msg", answer))
    assert (await floor.stored(ref)).state is State.SNOOZED
    await floor.pass_until(START + DAY - HOUR)
    after = await floor.stored(ref)
    assert (after.state, after.attention.reason) == (State.OPEN, "REPLY_WINDOW")
    assert (await floor.topics(ref))[-2:] == ["conversation.snooze_ended", "attention.raised"]


async def test_snooze_goes_on_when_the_deleted_message_was_no_answer(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.answer(ref)
    asleep = await floor.do(snooze, BO, ref, START + 2 * DAY)
    await floor.do(delete_message, BO, GlobalId("msg", 1))
    assert (await floor.stored(ref)).snooze_until == asleep.snooze_until == START + 2 * DAY


async def test_deleted_restart_is_as_if_it_had_not_been_sent(floor: Floor) -> None:
    ref = await floor.opened("conversation")
    await floor.pass_until(START + DAY)
    before = await floor.stored(ref)
    restart = await floor.do(restart_conversation, BO, ref)
    await floor.do(delete_message, BO, GlobalId("msg", restart.message))
    after = await floor.stored(ref)
    assert (after.customer_interaction_required, after.reply_until) == (False, before.reply_until)
    assert (after.waiting, after.attention.reason) == (before.waiting, "MISSED")
    await floor.do(restart_conversation, BO, ref)
    assert "MISSED" not in await floor.reasons(ref)
