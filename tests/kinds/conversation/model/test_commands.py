"""Who may do what to a conversation, and when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.core.actor import Actor
from app.core.errors import AlreadyClaimed, Conflict, Forbidden, InvalidTransition, NotSupported, Unreachable
from app.directory.model import Channel
from app.interactions.model import AnyCommand, Attention, Command, Level, State
from app.kinds.conversation.model.commands import ConversationCommand, refusal
from app.kinds.conversation.model.conversation import (
    Conversation,
    Status,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
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

WRITER = Actor(5, "Mona", frozenset({"conversation:read", "conversation:write"}))
READER = Actor(6, "Rita", frozenset({"conversation:read"}))
STRANGER = Actor(8, "Sam")
ADMIN = Actor(1, "Ada", is_admin=True)


def refused(command: AnyCommand, conversation: Conversation, actor: Actor = WRITER) -> type[Exception] | None:
    found = refusal(command, conversation, actor, NOW)
    return None if found is None else type(found)


MINE = replace(IN_PROGRESS, assignee_id=WRITER.user_id)
THEIRS = replace(IN_PROGRESS, assignee_id=99)
LEASED = replace(THEIRS, claimed_until=NOW + SECOND)
LEASE_ENDED = replace(THEIRS, claimed_until=NOW)
SNOOZED = replace(IN_PROGRESS, snooze_until=NOW + SECOND, state=State.SNOOZED)
NEEDY = replace(IN_PROGRESS, attention=Attention(level=Level.LOW))
BLOCKED = replace(IN_PROGRESS, blocked=True)
EXPIRED = replace(IN_PROGRESS, reply_until=NOW)
WINDOW_OPEN = replace(IN_PROGRESS, reply_until=NOW + SECOND)


@pytest.mark.parametrize(
    ("command", "conversation", "actor", "expected"),
    [
        (Command.CLAIM, IN_PROGRESS, WRITER, None),
        (Command.CLAIM, MINE, WRITER, None),
        (Command.CLAIM, THEIRS, WRITER, AlreadyClaimed),
        (Command.CLAIM, THEIRS, ADMIN, AlreadyClaimed),
        (Command.CLAIM, LEASED, WRITER, AlreadyClaimed),
        (Command.CLAIM, LEASE_ENDED, WRITER, None),
        (Command.CLAIM, DONE, WRITER, InvalidTransition),
        (Command.RELEASE, MINE, WRITER, None),
        (Command.RELEASE, THEIRS, WRITER, AlreadyClaimed),
        (Command.RELEASE, THEIRS, ADMIN, None),
        (Command.RELEASE, IN_PROGRESS, WRITER, InvalidTransition),
        (Command.ASSIGN, IN_PROGRESS, WRITER, None),
        (Command.ASSIGN, MINE, WRITER, None),
        (Command.ASSIGN, THEIRS, WRITER, AlreadyClaimed),
        (Command.ASSIGN, THEIRS, ADMIN, None),
        (Command.CLOSE, IN_PROGRESS, WRITER, None),
        (Command.CLOSE, DONE, WRITER, InvalidTransition),
        (Command.REOPEN, DONE, WRITER, None),
        (Command.REOPEN, IN_PROGRESS, WRITER, InvalidTransition),
        (Command.SNOOZE, IN_PROGRESS, WRITER, None),
        (Command.SNOOZE, SNOOZED, WRITER, None),
        (Command.SNOOZE, DONE, WRITER, InvalidTransition),
        (Command.UNSNOOZE, SNOOZED, WRITER, None),
        (Command.UNSNOOZE, IN_PROGRESS, WRITER, InvalidTransition),
        (Command.REPLY, IN_PROGRESS, WRITER, None),
        (Command.REPLY, DONE, WRITER, None),
        (Command.REPLY, BLOCKED, WRITER, Unreachable),
        (Command.RECEIVE, DONE, WRITER, None),
        (Command.RECEIVE, BLOCKED, WRITER, Unreachable),
        (Command.CLEAR_ATTENTION, NEEDY, WRITER, None),
        (Command.CLEAR_ATTENTION, IN_PROGRESS, WRITER, Conflict),
        (Command.ACKNOWLEDGE, NEEDY, WRITER, None),
        (Command.ACKNOWLEDGE, IN_PROGRESS, WRITER, Conflict),
        (ConversationCommand.RESTART, IN_PROGRESS, WRITER, None),
        (ConversationCommand.RESTART, EXPIRED, WRITER, None),
        (ConversationCommand.RESTART, WINDOW_OPEN, WRITER, InvalidTransition),
        (ConversationCommand.RESTART, replace(EXPIRED, blocked=True), WRITER, Unreachable),
        (ConversationCommand.RESTART, replace(EXPIRED, channel=Channel.WIDGET), WRITER, NotSupported),
        (ConversationCommand.RESTART, replace(EXPIRED, channel=Channel.BRIDGE), WRITER, NotSupported),
    ],
)
def test_refusals(
    command: AnyCommand, conversation: Conversation, actor: Actor, expected: type[Exception] | None
) -> None:
    assert refused(command, conversation, actor) is expected


def test_the_refusal_of_a_claim_names_the_holder() -> None:
    found = refusal(Command.CLAIM, LEASED, WRITER, NOW)
    assert isinstance(found, AlreadyClaimed)
    assert found.claimed_by == 99
    assert found.claimed_until == NOW + SECOND


ALWAYS = [
    Command.MARK_READ,
    Command.NOTE,
    Command.TYPE,
    Command.LABEL,
    Command.REACT,
    Command.REPORT_STATUS,
    Command.UPDATE,
    Command.DELETE,
]


@pytest.mark.parametrize("command", ALWAYS)
def test_the_rest_needs_no_more_than_the_permission(command: AnyCommand) -> None:
    assert refused(command, IN_PROGRESS) is None
    assert refused(command, DONE) is None
    assert refused(command, IN_PROGRESS, READER) is Forbidden


def test_reading_needs_the_permission() -> None:
    assert refused(Command.READ, IN_PROGRESS, READER) is None
    assert refused(Command.READ, IN_PROGRESS, STRANGER) is Forbidden


@pytest.mark.parametrize("command", sorted({*Command, *ConversationCommand} - {Command.READ}))
def test_who_may_only_read_may_do_nothing_else(command: AnyCommand) -> None:
    assert refused(command, IN_PROGRESS, READER) is Forbidden
