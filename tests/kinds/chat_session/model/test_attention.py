from datetime import UTC, datetime

import pytest

from app.interactions.model import Level, State
from app.kinds.chat_session.model.attention import REASONS, causes, state, without_alert
from app.kinds.chat_session.model.session import ENDED, ChatSession
from app.kinds.chat_session.model.session import ChatSessionStatus as S

NOW = datetime(2024, 3, 22, tzinfo=UTC)


def chat(status: S = S.USER_LAST, **fields: object) -> ChatSession:
    known: dict[str, object] = {
        "id": 1,
        "customer_id": None,
        "chat_session_id": 446,
        "topic_id": 9,
        "status": status,
        "session_key_digest": "digest",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return ChatSession(**(known | fields))  # type: ignore[arg-type]


def reasons(session: ChatSession) -> list[tuple[str, Level]]:
    return [(cause.reason, cause.level) for cause in causes(session)]


def test_the_reasons_are_in_the_order_in_which_they_count() -> None:
    assert list(REASONS) == ["ALERT", "TRANSFER", "QUEUED"]


@pytest.mark.parametrize(
    ("alert_level", "found"),
    [
        (0, []),
        (1, [("ALERT", Level.HIGH)]),
        (2, [("ALERT", Level.HIGH)]),
        (3, [("ALERT", Level.URGENT)]),
        (504, [("ALERT", Level.URGENT)]),
    ],
)
def test_an_alert_level_above_0_is_high_and_from_3_urgent(alert_level: int, found: list[tuple[str, Level]]) -> None:
    session = chat(alert_level=alert_level)
    assert reasons(session) == found
    assert reasons(without_alert(session)) == []


def test_only_the_alert_can_be_cleared() -> None:
    found = causes(chat(S.CUSTOMER_LAST, alert_level=1, transfer_to_id=6))
    assert [(cause.reason, cause.clearable) for cause in found] == [
        ("ALERT", True),
        ("TRANSFER", False),
    ]


def test_a_pending_transfer() -> None:
    assert reasons(chat(transfer_to_id=6)) == [("TRANSFER", Level.HIGH)]
    assert reasons(chat()) == []


def test_a_queued_chat() -> None:
    assert reasons(chat(S.IN_QUEUE)) == [("QUEUED", Level.HIGH)]
    assert reasons(chat(S.PRE_CHAT_FORM)) == reasons(chat(S.FAQ)) == []


@pytest.mark.parametrize("status", [S.OFFLINE_FORM, S.REQUEST_POSTED])
def test_a_chat_that_nobody_was_there_for(status: S) -> None:
    assert reasons(chat(status)) == [("MISSED", Level.HIGH)]


@pytest.mark.parametrize("status", list(S))
def test_every_ended_status_but_a_posted_request_is_closed(status: S) -> None:
    assert state(chat(status)) is (State.CLOSED if status in ENDED - {S.REQUEST_POSTED} else State.OPEN)


def test_five_statuses_end_a_chat() -> None:
    assert {status.wire for status in ENDED} == {
        "Finished", "Deleted", "Closed", "RequestPosted", "ClosedFromQueue",
    }  # fmt: skip
