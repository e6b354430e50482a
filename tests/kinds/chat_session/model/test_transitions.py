from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.core.errors import InvalidTransition
from app.kinds.chat_session.model.session import ACTIVE, ENDED, QUEUES, ChatSession
from app.kinds.chat_session.model.session import ChatSessionStatus as S
from app.kinds.chat_session.model.transitions import (
    MESSAGE_COPY,
    accepted,
    customer_wrote,
    ended,
    handed_off,
    kept,
    lowest_free,
    moved,
    offered,
    picked_up,
    ranked,
    reopened,
    taken_over,
    user_wrote,
    waiting,
    with_copies,
)

NOW = datetime(2024, 3, 22, 15, 32, 47, tzinfo=UTC)
BEFORE = NOW - timedelta(hours=1)

ENDINGS = {S.FINISHED, S.CLOSED, S.REQUEST_POSTED, S.DELETED}
MOVES = {
    S.INVALID: set(S) - {S.INVALID},
    S.PRE_CHAT_FORM: {S.FAQ, S.IN_QUEUE, S.OFFLINE_FORM, *ENDINGS},
    S.FAQ: {S.PRE_CHAT_FORM, S.IN_QUEUE, S.OFFLINE_FORM, *ENDINGS},
    S.OFFLINE_FORM: {S.IN_QUEUE, *ENDINGS},
    S.IN_QUEUE: {S.OFFLINE_FORM, S.CLOSED_FROM_QUEUE, *ENDINGS},
    S.CUSTOMER_LAST: {S.USER_LAST, S.IN_QUEUE, S.OFFLINE_FORM, *ENDINGS},
    S.USER_LAST: {S.CUSTOMER_LAST, S.IN_QUEUE, S.OFFLINE_FORM, *ENDINGS},
    S.FINISHED: {S.USER_LAST, S.CUSTOMER_LAST, S.CLOSED, S.REQUEST_POSTED, S.DELETED},
    S.CLOSED: {S.USER_LAST, S.DELETED},
    S.REQUEST_POSTED: {S.USER_LAST, S.CLOSED, S.DELETED},
    S.CLOSED_FROM_QUEUE: {S.USER_LAST, S.DELETED},
    S.DELETED: set[S](),
}


def chat(status: S = S.USER_LAST, **fields: object) -> ChatSession:
    known: dict[str, object] = {
        "id": 1,
        "customer_id": None,
        "chat_session_id": 446,
        "topic_id": 9,
        "status": status,
        "session_key_digest": "digest",
        "created_at": BEFORE,
        "updated_at": BEFORE,
    }
    return ChatSession(**(known | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("status", list(S))
@pytest.mark.parametrize("target", list(S))
def test_an_update_moves_along_the_state_machine_alone(status: S, target: S) -> None:
    before = chat(status)
    if target is status:
        assert moved(before, target, NOW) is before
    elif target in MOVES[status]:
        found = S.CLOSED_FROM_QUEUE if (status, target) == (S.IN_QUEUE, S.CLOSED) else target
        assert moved(before, target, NOW).status is found
    else:
        with pytest.raises(InvalidTransition) as refused:
            moved(before, target, NOW)
        assert refused.value.path == ("status",)


@pytest.mark.parametrize("target", [S.FINISHED, S.CLOSED, S.REQUEST_POSTED, S.DELETED])
def test_ending_notes_when_and_ends_transfer_and_typing(target: S) -> None:
    before = chat(
        assignee_id=5, claimed_until=NOW, transfer_to_id=6, customer_is_typing=True, user_is_typing=True, rank=2
    )
    assert ended(before, target, NOW) == chat(target, assignee_id=5, when_ended=NOW, rank=2)


def test_an_ending_keeps_the_time_of_the_first_one() -> None:
    assert ended(chat(S.FINISHED, when_ended=BEFORE), S.CLOSED, NOW).when_ended == BEFORE


def test_closing_a_queued_chat_is_closing_it_from_the_queue() -> None:
    assert ended(chat(S.IN_QUEUE), S.CLOSED, NOW) == chat(S.CLOSED_FROM_QUEUE, when_ended=NOW)


@pytest.mark.parametrize("status", [S.FINISHED, S.CLOSED, S.REQUEST_POSTED, S.CLOSED_FROM_QUEUE])
def test_reopening_leaves_the_user_as_the_last_to_write(status: S) -> None:
    assert reopened(chat(status, when_ended=BEFORE)) == chat(S.USER_LAST)


def test_going_back_to_the_queue_leaves_it_to_nobody() -> None:
    before = chat(assignee_id=5, claimed_until=NOW, transfer_to_id=6, user_is_typing=True, when_started=BEFORE)
    assert waiting(before, S.IN_QUEUE) == chat(S.IN_QUEUE, when_started=BEFORE)


@pytest.mark.parametrize(("present", "status"), [(True, S.IN_QUEUE), (False, S.OFFLINE_FORM)])
def test_a_hand_off_ends_the_bot_and_queues_only_where_somebody_is(present: bool, status: S) -> None:
    assert handed_off(chat(bot_active=True), present) == chat(status)


@pytest.mark.parametrize(
    ("welcomed", "wrote", "status"),
    [(True, 3, S.USER_LAST), (True, None, S.USER_LAST), (False, 3, S.CUSTOMER_LAST), (False, None, S.USER_LAST)],
)
def test_picking_up_assigns_and_starts(welcomed: bool, wrote: int | None, status: S) -> None:
    before = chat(S.IN_QUEUE, bot_active=True, latest_customer_message_id=wrote)
    assert picked_up(before, 5, NOW, welcomed=welcomed) == chat(
        status, assignee_id=5, when_started=NOW, latest_customer_message_id=wrote
    )


def test_when_started_is_the_first_acceptance() -> None:
    before = chat(S.IN_QUEUE, when_started=BEFORE)
    assert picked_up(before, 5, NOW, welcomed=True).when_started == BEFORE
    assert taken_over(before, 5, NOW).when_started == BEFORE


def test_a_transfer_is_offered_kept_or_accepted() -> None:
    before = chat(assignee_id=5, when_started=BEFORE, claimed_until=NOW)
    pending = offered(before, 6)
    assert pending == replace(before, transfer_to_id=6)
    assert kept(pending) == before
    assert accepted(pending, 6, NOW) == replace(before, assignee_id=6, claimed_until=None)


@pytest.mark.parametrize("status", sorted(set(S) - QUEUES))
def test_a_customers_message_makes_the_customer_last(status: S) -> None:
    before = chat(status, customer_is_typing=True, when_ended=BEFORE if status in ENDED else None)
    assert customer_wrote(before) == chat(S.CUSTOMER_LAST)


@pytest.mark.parametrize("status", sorted(QUEUES))
def test_a_customers_message_in_the_queue_keeps_its_place(status: S) -> None:
    assert customer_wrote(chat(status, customer_is_typing=True)) == chat(status)


@pytest.mark.parametrize("status", sorted(QUEUES))
def test_a_bots_message_leaves_a_chat_in_the_queue_when_it_is_not_in_charge(status: S) -> None:
    assert user_wrote(chat(status), None, NOW) == chat(status)


@pytest.mark.parametrize("status", [S.IN_QUEUE, S.PRE_CHAT_FORM, S.FAQ, S.CUSTOMER_LAST])
def test_a_bots_message_makes_the_user_last_and_keeps_off_the_queue(status: S) -> None:
    assert user_wrote(chat(status, bot_active=True), None, NOW) == chat(S.USER_LAST, bot_active=True)


def test_a_users_message_takes_over_a_chat_that_nobody_holds() -> None:
    assert user_wrote(chat(S.IN_QUEUE, bot_active=True), 5, NOW) == chat(S.USER_LAST, assignee_id=5, when_started=NOW)


def test_a_users_message_leaves_the_holder_alone() -> None:
    before = chat(S.CUSTOMER_LAST, assignee_id=5, when_started=BEFORE, user_is_typing=True)
    assert user_wrote(before, 7, NOW) == chat(S.USER_LAST, assignee_id=5, when_started=BEFORE)


def test_the_copies_follow_the_messages() -> None:
    first = with_copies(chat(), "a" * (MESSAGE_COPY + 1), BEFORE)
    assert first == chat(first_message="a" * 1024, last_message="a" * 1024, when_idle=BEFORE)
    second = with_copies(first, "b", NOW)
    assert second == chat(first_message="a" * 1024, last_message="b", when_idle=NOW)
    assert with_copies(second, "late", BEFORE) == second
    assert with_copies(second, None, NOW) == second


def test_the_rank_is_the_lowest_free_number() -> None:
    assert [lowest_free(taken) for taken in ([], [1], [2], [1, 2, 4], [3, 1, 2])] == [1, 2, 1, 3, 4]


def test_a_chat_is_ranked_when_it_becomes_one_of_its_holders_active_ones() -> None:
    asked = []

    def taken(user: int) -> list[int]:
        asked.append(user)
        return [1, 3]

    before = chat(assignee_id=5)
    assert ranked(before, taken) == replace(before, rank=2, rank_user_id=5)
    assert asked == [5]


@pytest.mark.parametrize("status", sorted(ENDED | {S.IN_QUEUE}))
def test_a_chat_that_stops_being_active_keeps_its_rank_and_frees_it(status: S) -> None:
    before = chat(status, assignee_id=5, rank=2, rank_user_id=5)
    assert ranked(before, lambda _: pytest.fail("asked")) == replace(before, rank_user_id=None)


@pytest.mark.parametrize("status", sorted(ACTIVE))
def test_a_ranked_chat_keeps_its_rank(status: S) -> None:
    before = chat(status, assignee_id=5, rank=2, rank_user_id=5)
    assert ranked(before, lambda _: pytest.fail("asked")) is before


def test_a_chat_of_a_bot_has_no_rank() -> None:
    before = chat(S.USER_LAST, bot_active=True)
    assert ranked(before, lambda _: pytest.fail("asked")) is before
