from datetime import UTC, datetime, timedelta

import pytest

from app.core.actor import Actor
from app.core.errors import AlreadyClaimed, Conflict, DomainError, Forbidden, InvalidTransition, NotSupported
from app.interactions.model import AnyCommand, Attention, Command, Level, State
from app.kinds.chat_session.model.commands import ChatCommand
from app.kinds.chat_session.model.refusals import refusal
from app.kinds.chat_session.model.session import CLOSED, ENDED, ChatSession
from app.kinds.chat_session.model.session import ChatSessionStatus as S

NOW = datetime(2024, 3, 22, tzinfo=UTC)
WRITER = Actor(user_id=5, name="Wil", permissions=frozenset({"chat_session:read", "chat_session:write"}))
OTHER = Actor(user_id=6, name="Oda", permissions=WRITER.permissions)
READER = Actor(user_id=7, name="Rea", permissions=frozenset({"chat_session:read"}))
ADMIN = Actor(user_id=1, name="Ada", is_admin=True)


def chat(status: S = S.USER_LAST, **fields: object) -> ChatSession:
    known: dict[str, object] = {
        "id": 1,
        "customer_id": None,
        "chat_session_id": 446,
        "topic_id": 9,
        "status": status,
        "state": State.CLOSED if status in CLOSED else State.OPEN,
        "session_key_digest": "digest",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return ChatSession(**(known | fields))  # type: ignore[arg-type]


def refused(command: AnyCommand, session: ChatSession, actor: Actor = WRITER) -> type[DomainError] | None:
    found = refusal(command, session, actor, NOW)
    return None if found is None else type(found)


@pytest.mark.parametrize("command", [Command.SNOOZE, Command.UNSNOOZE, Command.REACT, Command.REPORT_STATUS])
def test_what_a_chat_does_not_have(command: AnyCommand) -> None:
    assert refused(command, chat()) is NotSupported


def test_reading_needs_one_permission_and_all_else_the_other() -> None:
    assert refused(Command.READ, chat(S.DELETED), READER) is None
    assert refused(Command.UPDATE, chat(), READER) is Forbidden
    assert refused(Command.UPDATE, chat(S.DELETED), READER) is Forbidden
    assert refused(Command.UPDATE, chat()) is None


@pytest.mark.parametrize("command", sorted({*Command, *ChatCommand} - {Command.READ}))
def test_a_deleted_chat_takes_nothing(command: AnyCommand) -> None:
    assert refused(command, chat(S.DELETED, when_started=NOW)) in (InvalidTransition, NotSupported)


@pytest.mark.parametrize(
    "command",
    [
        Command.CLAIM,
        Command.ASSIGN,
        Command.RELEASE,
        Command.CLOSE,
        Command.REPLY,
        Command.TYPE,
        Command.RAISE_ATTENTION,
        ChatCommand.TRANSFER,
        ChatCommand.RESET,
    ],
)
@pytest.mark.parametrize("status", sorted(CLOSED))
def test_an_ended_chat_has_to_be_reopened_first(command: AnyCommand, status: S) -> None:
    assert refused(command, chat(status, assignee_id=5)) is InvalidTransition


@pytest.mark.parametrize("status", sorted(set(S) - {S.DELETED}))
def test_only_an_ended_chat_is_reopened(status: S) -> None:
    assert refused(Command.REOPEN, chat(status)) is (None if status in CLOSED else InvalidTransition)


@pytest.mark.parametrize("status", sorted(set(S) - {S.DELETED}))
def test_of_the_ended_only_a_finished_chat_takes_a_customers_message(status: S) -> None:
    takes = status not in ENDED or status is S.FINISHED
    assert refused(Command.RECEIVE, chat(status)) is (None if takes else InvalidTransition)


def test_only_one_can_claim() -> None:
    assert refused(Command.CLAIM, chat(S.IN_QUEUE)) is None
    assert refused(Command.CLAIM, chat(assignee_id=5)) is None
    assert refused(Command.CLAIM, chat(assignee_id=6)) is AlreadyClaimed
    assert refused(Command.CLAIM, chat(assignee_id=6), ADMIN) is AlreadyClaimed
    assert refused(Command.CLAIM, chat(assignee_id=6, claimed_until=NOW)) is None


def test_only_who_may_respond_in_the_topic_can_claim() -> None:
    assert refused(Command.CLAIM, chat(S.IN_QUEUE, responders=(6,))) is Forbidden
    assert refused(Command.CLAIM, chat(S.IN_QUEUE, responders=(6,)), OTHER) is None
    assert refused(Command.CLAIM, chat(S.IN_QUEUE, responders=(6,)), ADMIN) is None


@pytest.mark.parametrize("command", [Command.RELEASE, Command.ASSIGN, ChatCommand.RESET])
def test_only_the_holder_or_an_admin_takes_a_chat_away(command: AnyCommand) -> None:
    held = chat(assignee_id=5, claimed_until=NOW + timedelta(minutes=5))
    assert refused(command, held) is None
    assert refused(command, held, ADMIN) is None
    found = refusal(command, held, OTHER, NOW)
    assert isinstance(found, AlreadyClaimed)
    assert (found.claimed_by, found.claimed_until) == (5, NOW + timedelta(minutes=5))


def test_a_chat_that_nobody_holds_is_reset_but_not_released() -> None:
    assert refused(ChatCommand.RESET, chat(bot_active=True)) is None
    assert refused(Command.RELEASE, chat()) is InvalidTransition


def test_only_the_holder_or_an_admin_transfers_and_cancels() -> None:
    held, pending = chat(assignee_id=5), chat(assignee_id=5, transfer_to_id=6)
    assert [refused(ChatCommand.TRANSFER, held, actor) for actor in (WRITER, OTHER, ADMIN)] == [None, Forbidden, None]
    assert [refused(ChatCommand.CANCEL_TRANSFER, pending, actor) for actor in (WRITER, OTHER, ADMIN)] == [
        None,
        Forbidden,
        None,
    ]


def test_only_a_chat_that_goes_on_with_somebody_is_transferred_and_once_at_a_time() -> None:
    assert refused(ChatCommand.TRANSFER, chat()) is InvalidTransition
    assert refused(ChatCommand.TRANSFER, chat(S.IN_QUEUE)) is InvalidTransition
    assert refused(ChatCommand.TRANSFER, chat(assignee_id=5, transfer_to_id=6)) is InvalidTransition


@pytest.mark.parametrize("command", [ChatCommand.ACCEPT_TRANSFER, ChatCommand.REJECT_TRANSFER])
def test_only_whom_it_is_offered_to_answers_a_transfer(command: AnyCommand) -> None:
    pending = chat(assignee_id=5, transfer_to_id=6)
    assert [refused(command, pending, actor) for actor in (WRITER, OTHER, ADMIN)] == [Forbidden, None, Forbidden]


@pytest.mark.parametrize(
    "command", [ChatCommand.CANCEL_TRANSFER, ChatCommand.ACCEPT_TRANSFER, ChatCommand.REJECT_TRANSFER]
)
def test_without_a_pending_transfer_there_is_nothing_to_answer(command: AnyCommand) -> None:
    assert refused(command, chat(assignee_id=5)) is Conflict


def test_only_a_chat_that_started_is_rated() -> None:
    assert refused(ChatCommand.RATE, chat()) is InvalidTransition
    assert refused(ChatCommand.RATE, chat(when_started=NOW)) is None
    assert refused(ChatCommand.RATE, chat(S.CLOSED, when_started=NOW)) is None


def test_attention_is_cleared_and_acknowledged_where_it_is_needed() -> None:
    needed = chat(alert_level=1, attention=Attention(level=Level.HIGH, reason="ALERT", reasons=("ALERT",), since=NOW))
    for command in (Command.CLEAR_ATTENTION, Command.ACKNOWLEDGE):
        assert refused(command, needed) is None
        assert refused(command, chat()) is Conflict
