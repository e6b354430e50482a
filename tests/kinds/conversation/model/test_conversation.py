"""The pure rules of a conversation: state, attention, the reply window, messages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.directory.model import Channel
from app.interactions.model import Level, State, Turn, derive_attention, shared_causes
from app.interactions.waiting import NOT_WAITING, asked
from app.kinds.conversation.events import ReplyWindowClosed, ReplyWindowClosing, SnoozeEnded
from app.kinds.conversation.model.conversation import (
    MOST_RESTARTS,
    Conversation,
    Status,
    causes,
    next_turn,
    received,
    restarted,
    state,
    taken,
    turn,
    undelivered_by,
    undelivered_message,
    with_restart,
    with_status,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
SECOND = timedelta(seconds=1)

CONVERSATION = Conversation(
    id=7,
    kind="conversation",
    customer_id=3,
    conversation_id=123,
    channel=Channel.WHATSAPP,
    channel_agent_id=1,
    created_at=NOW - DAY,
    updated_at=NOW - DAY,
)
IN_PROGRESS = replace(CONVERSATION, status=Status.IN_PROGRESS)
DONE = replace(CONVERSATION, status=Status.DONE, state=State.CLOSED)
WAITING = replace(IN_PROGRESS, waiting=asked(NOT_WAITING, NOW), reply_until=NOW + timedelta(hours=2))


def reasons(conversation: Conversation, now: datetime = NOW) -> list[tuple[str, Level]]:
    return [(cause.reason, cause.level) for cause in causes(conversation, now, HOUR)]


def test_state_is_open_snoozed_or_closed() -> None:
    snoozed = replace(IN_PROGRESS, snooze_until=NOW + SECOND)
    assert state(CONVERSATION, NOW) == State.OPEN
    assert state(IN_PROGRESS, NOW) == State.OPEN
    assert state(snoozed, NOW) == State.SNOOZED
    assert state(snoozed, NOW + SECOND) == State.OPEN
    assert state(DONE, NOW) == State.CLOSED
    assert state(replace(snoozed, status=Status.DONE), NOW) == State.CLOSED


def test_to_do_raises_and_beginning_to_work_clears_it() -> None:
    assert reasons(CONVERSATION) == [("TO_DO", Level.LOW)]
    assert reasons(IN_PROGRESS) == []


def test_a_snooze_that_has_ended_is_to_do_until_somebody_goes_on() -> None:
    woken = replace(IN_PROGRESS, woken=True)
    assert reasons(woken) == [("TO_DO", Level.LOW)]
    assert reasons(taken(woken)) == reasons(with_status(woken, Status.DONE)) == []


def test_a_waiting_customer_is_urgent_from_an_hour_before_the_window_closes_until_it_closes() -> None:
    closes = NOW + timedelta(hours=2)
    assert reasons(WAITING, closes - HOUR - SECOND) == []
    assert reasons(WAITING, closes - HOUR) == [("REPLY_WINDOW", Level.URGENT)]
    assert reasons(WAITING, closes - SECOND) == [("REPLY_WINDOW", Level.URGENT)]
    assert reasons(WAITING, closes) == [("MISSED", Level.HIGH)]
    assert causes(WAITING, closes - HOUR, HOUR)[0].deadline == closes


def test_an_answer_clears_the_reply_window() -> None:
    closes = NOW + timedelta(hours=2)
    assert reasons(replace(WAITING, waiting=NOT_WAITING), closes - HOUR) == []


def test_without_a_reply_window_nothing_is_urgent() -> None:
    widget = replace(WAITING, channel=Channel.WIDGET, reply_until=None)
    assert reasons(widget) == []


def test_the_first_reason_is_the_chief_one() -> None:
    own = causes(WAITING, NOW + HOUR, HOUR)
    attention = derive_attention(WAITING.attention, [*own, *shared_causes(WAITING, own)], NOW + HOUR)
    assert attention.level == Level.URGENT
    assert attention.reason == "REPLY_WINDOW"
    assert attention.reasons == ("REPLY_WINDOW", "CUSTOMER_WAITING")
    assert attention.deadline == NOW + timedelta(hours=2)


def test_time_alone_turns_a_waiting_conversation_twice() -> None:
    closes = NOW + timedelta(hours=2)
    assert next_turn(WAITING, NOW, HOUR) == closes - HOUR
    assert next_turn(WAITING, closes - HOUR, HOUR) == closes
    assert next_turn(WAITING, closes, HOUR) is None
    assert next_turn(replace(WAITING, waiting=NOT_WAITING), NOW, HOUR) is None
    assert next_turn(replace(WAITING, status=Status.DONE), NOW, HOUR) is None


def test_the_end_of_a_snooze_is_a_turn() -> None:
    snoozed = replace(WAITING, snooze_until=NOW + SECOND)
    assert next_turn(snoozed, NOW, HOUR) == NOW + SECOND
    # It stays the next one until somebody has ended the snooze.
    assert next_turn(snoozed, NOW + SECOND, HOUR) == NOW + SECOND
    assert next_turn(IN_PROGRESS, NOW, HOUR) is None


def test_a_turn_says_what_time_has_done() -> None:
    closes = NOW + timedelta(hours=2)
    snoozed = replace(WAITING, snooze_until=NOW + SECOND)
    assert turn(snoozed, NOW + SECOND) == Turn(SnoozeEnded(), replace(WAITING, woken=True))
    assert turn(snoozed, NOW) == Turn(ReplyWindowClosing(), snoozed)
    assert turn(WAITING, closes - SECOND) == Turn(ReplyWindowClosing(), WAITING)
    assert turn(WAITING, closes) == Turn(ReplyWindowClosed(), WAITING)
    assert turn(IN_PROGRESS, NOW) is None


def test_a_message_of_the_customer_opens_the_window_and_the_conversation() -> None:
    done = replace(DONE, snooze_until=NOW + DAY, customer_interaction_required=True)
    after = received(done, NOW)
    assert after == replace(
        done,
        status=Status.TO_DO,
        snooze_until=None,
        last_customer_reply_from=NOW,
        reply_until=NOW + DAY,
        customer_interaction_required=False,
    )


def test_a_message_of_the_customer_leaves_work_in_progress() -> None:
    assert received(IN_PROGRESS, NOW).status == Status.IN_PROGRESS


def test_a_late_message_does_not_shorten_the_window() -> None:
    after = received(received(CONVERSATION, NOW), NOW - HOUR)
    assert after.last_customer_reply_from == NOW
    assert after.reply_until == NOW + DAY


@pytest.mark.parametrize("channel", [Channel.BRIDGE, Channel.WIDGET])
def test_other_channels_have_no_window(channel: Channel) -> None:
    after = received(replace(CONVERSATION, channel=channel), NOW)
    assert after.reply_until is None
    assert after.last_customer_reply_from == NOW
    assert undelivered_message(after, NOW + 10 * DAY) is None


def test_a_message_outside_the_window_is_not_delivered() -> None:
    opened = received(CONVERSATION, NOW)
    assert undelivered_message(opened, NOW) is None
    assert undelivered_message(opened, NOW + DAY - SECOND) is None
    assert undelivered_message(opened, NOW + DAY) == "The reply window is closed."
    assert undelivered_message(CONVERSATION, NOW) == "The reply window is closed."


@pytest.mark.parametrize("channel", list(Channel))
def test_a_message_through_a_channel_agent_that_is_not_in_sync_is_not_delivered(channel: Channel) -> None:
    opened = replace(received(replace(CONVERSATION, channel=channel), NOW), in_sync=False)
    assert undelivered_message(opened, NOW) == "The channel agent is not connected."


def test_a_restart_announces_the_window_and_waits_for_the_customer() -> None:
    after = restarted(CONVERSATION, NOW)
    assert after == replace(CONVERSATION, reply_until=NOW + DAY, customer_interaction_required=True)
    assert undelivered_message(after, NOW) == "The customer has to write first."
    answered = received(after, NOW + HOUR)
    assert answered.customer_interaction_required is False
    assert undelivered_message(answered, NOW + HOUR) is None


def test_without_a_restart_the_window_is_that_of_the_customers_last_message() -> None:
    heard = received(CONVERSATION, NOW - HOUR)
    assert restarted(restarted(heard, NOW), None) == heard
    assert restarted(restarted(CONVERSATION, NOW), None) == CONVERSATION


def test_only_the_latest_restarts_are_remembered_until_the_customer_writes() -> None:
    conversation = CONVERSATION
    for message_id in range(1, MOST_RESTARTS + 3):
        conversation = with_restart(conversation, message_id)
    assert conversation.restart_message_ids == tuple(range(3, MOST_RESTARTS + 3))
    assert received(conversation, NOW).restart_message_ids == ()


def test_what_decides_whether_a_reply_is_possible() -> None:
    def possible(channel: str, in_sync: bool, reply_until: datetime | None, required: bool) -> bool:
        return undelivered_by(channel, in_sync, reply_until, required, NOW) is None

    assert possible("WHATSAPP", True, NOW + SECOND, False)
    assert not possible("WHATSAPP", True, NOW, False)
    assert not possible("WHATSAPP", True, None, False)
    assert not possible("WHATSAPP", True, NOW + SECOND, True)
    assert not possible("WHATSAPP", False, NOW + SECOND, False)
    assert possible("WIDGET", True, None, False)
    assert possible("BRIDGE", True, None, False)
    assert not possible("BRIDGE", False, None, False)


def test_a_template_needs_no_window_but_a_connection() -> None:
    assert undelivered_message(restarted(CONVERSATION, NOW), NOW, template=True) is None
    apart = replace(CONVERSATION, in_sync=False)
    assert undelivered_message(apart, NOW, template=True) == "The channel agent is not connected."


def test_closing_ends_a_snooze() -> None:
    snoozed = replace(IN_PROGRESS, snooze_until=NOW + DAY)
    assert with_status(snoozed, Status.DONE) == replace(IN_PROGRESS, status=Status.DONE)
    assert with_status(snoozed, Status.TO_DO) == replace(snoozed, status=Status.TO_DO)


def test_who_takes_a_conversation_begins_to_work_on_it() -> None:
    assert taken(CONVERSATION).status == Status.IN_PROGRESS
    assert taken(IN_PROGRESS) == IN_PROGRESS
