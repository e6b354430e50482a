"""What a user may do to a conversation, for commands and `viewerCan`."""

from datetime import datetime
from typing import Protocol

from app.connections.model.outbox import refused_by
from app.core.actor import CONNECTION, Actor
from app.core.errors import DomainError, InvalidTransition, NotSupported, Unreachable
from app.directory.model import Channel
from app.interactions.claims import OF_EVERY_KIND, Refusable, held_by_other, may_write, shared_block, shared_refusal
from app.interactions.claims import VIEWER_COLUMNS as COMMON_COLUMNS
from app.interactions.model import AnyCommand, Command, ReplyBlock
from app.kinds.conversation.model.conversation import undelivered_by


class ConversationCommand(AnyCommand):
    """The commands on a conversation beside the shared commands."""

    RESTART = "RESTART"


VIEWER_COLUMNS = (
    *COMMON_COLUMNS,
    "channel",
    "reply_until",
    "customer_interaction_required",
    "in_sync",
    "blocked",
    "cannot",
)
"""The columns that `refusal` and `reply_block` read."""

COMMANDS = frozenset(
    {
        *OF_EVERY_KIND,
        *ConversationCommand,
        Command.CLOSE,
        Command.REOPEN,
        Command.SNOOZE,
        Command.UNSNOOZE,
        Command.REACT,
        Command.REPORT_STATUS,
        Command.DELETE,
    }
)


class Subject(Refusable, Protocol):
    """What `refusal` looks at: a Conversation, or a row of VIEWER_COLUMNS."""

    @property
    def channel(self) -> str: ...

    @property
    def reply_until(self) -> datetime | None: ...

    @property
    def customer_interaction_required(self) -> bool: ...

    @property
    def in_sync(self) -> bool: ...

    @property
    def blocked(self) -> bool: ...

    @property
    def cannot(self) -> str | None: ...


def refusal(command: AnyCommand, subject: Subject, actor: Actor, now: datetime) -> DomainError | None:
    """Why the actor may not do this to the conversation now; None when it may."""
    if command not in COMMANDS and may_write(subject, actor):
        what = "bot" if command is Command.RESUME_BOT else f"command {command}"
        return NotSupported(f"A conversation has no {what}.")
    found = shared_refusal(command, subject, actor, now)
    if found is None and actor is not CONNECTION:
        found = refused_by(command, subject.cannot)
    if found is not None:
        return found
    match command:
        case Command.REPLY:
            return _blocked(subject) or held_by_other(subject, actor, now)
        case Command.BOT_REPLY | Command.RECEIVE:
            return _blocked(subject)
        case ConversationCommand.RESTART:
            return _restart(subject, now) or held_by_other(subject, actor, now)
        case _:
            return None


def reply_block(subject: Subject, actor: Actor, now: datetime) -> ReplyBlock | None:
    """Why the actor's reply would not reach the customer, or would interfere with somebody else's; None when
    neither."""
    if not may_write(subject, actor) or refused_by(Command.REPLY, subject.cannot) is not None:
        return ReplyBlock.NOT_ALLOWED
    if subject.blocked:
        return ReplyBlock.BLOCKED
    undelivered = undelivered_by(
        subject.channel, subject.in_sync, subject.reply_until, subject.customer_interaction_required, now
    )
    return undelivered or shared_block(subject, actor, now)


def _blocked(subject: Subject) -> DomainError | None:
    if not subject.blocked:
        return None
    return Unreachable("The profile of the customer is blocked, so no message reaches it or comes from it.")


def _restart(subject: Subject, now: datetime) -> DomainError | None:
    if subject.channel != Channel.WHATSAPP:
        return NotSupported("Only a conversation on WhatsApp can be restarted.")
    if subject.reply_until is not None and subject.reply_until > now:
        return InvalidTransition("The reply window is not over yet, so there is nothing to restart.")
    return _blocked(subject)
