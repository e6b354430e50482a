"""The rules of a chat: which commands a user may do now."""

from datetime import datetime
from typing import Protocol

from app.connections.model.outbox import refused_by
from app.core.actor import CONNECTION, Actor
from app.core.errors import AlreadyClaimed, Conflict, DomainError, Forbidden, InvalidTransition, NotSupported
from app.interactions.claims import (
    OF_EVERY_KIND,
    Refusable,
    held_by_other,
    holder_of,
    may_write,
    shared_block,
    shared_refusal,
)
from app.interactions.claims import VIEWER_COLUMNS as SHARED_COLUMNS
from app.interactions.model import AnyCommand, Command, ReplyBlock
from app.kinds.chat_session.model.commands import ChatCommand
from app.kinds.chat_session.model.session import ACTIVE, CLOSED, ENDED, ChatSessionStatus

VIEWER_COLUMNS = (*SHARED_COLUMNS, "status", "transfer_to_id", "when_started", "responders", "cannot")
"""The columns of a chat that `refusal` reads."""

COMMANDS = frozenset({*OF_EVERY_KIND, *ChatCommand, Command.CLOSE, Command.REOPEN, Command.RESUME_BOT, Command.DELETE})
OF_CONNECTIONS = COMMANDS | {Command.REPORT_STATUS}
"""The commands that only other systems have: they report the delivery of messages."""

RESPONDERS_ONLY = frozenset({Command.CLAIM, ChatCommand.TRANSFER, ChatCommand.ACCEPT_TRANSFER})
"""The commands by which a chat goes to somebody who has to be allowed to respond in its topic."""

_NEED_OPEN = frozenset(
    {
        Command.CLAIM,
        Command.RELEASE,
        Command.ASSIGN,
        Command.REPLY,
        Command.BOT_REPLY,
        Command.TYPE,
        Command.RAISE_ATTENTION,
        ChatCommand.TRANSFER,
        ChatCommand.CANCEL_TRANSFER,
        ChatCommand.ACCEPT_TRANSFER,
        ChatCommand.REJECT_TRANSFER,
        ChatCommand.RESET,
    }
)


class Subject(Refusable, Protocol):
    """A chat, or a row of VIEWER_COLUMNS."""

    @property
    def status(self) -> str: ...

    @property
    def transfer_to_id(self) -> int | None: ...

    @property
    def when_started(self) -> datetime | None: ...

    @property
    def responders(self) -> tuple[int, ...]: ...

    @property
    def cannot(self) -> str | None: ...


def refusal(command: AnyCommand, subject: Subject, actor: Actor, now: datetime) -> DomainError | None:
    """Why the actor may not do this to the chat now; None when it may."""
    if command is not Command.READ and not may_write(subject, actor):
        return shared_refusal(command, subject, actor, now)
    if command not in (OF_CONNECTIONS if actor is CONNECTION else COMMANDS):
        return NotSupported("A ChatSession does not support this command.")
    status = ChatSessionStatus(subject.status)
    return (
        _of_status(command, status, subject)
        or shared_refusal(command, subject, actor, now)
        or (None if actor is CONNECTION else refused_by(command, subject.cannot))
        or _of_holder(command, subject, actor, now)
        or _of_transfer(command, status, subject, actor)
    )


def reply_block(subject: Subject, actor: Actor, now: datetime) -> ReplyBlock | None:
    """Why the actor's reply would interfere with somebody else's now; None when it would not."""
    if not may_write(subject, actor) or refused_by(Command.REPLY, subject.cannot) is not None:
        return ReplyBlock.NOT_ALLOWED
    return ReplyBlock.CLOSED if subject.status in CLOSED else shared_block(subject, actor, now)


def _of_status(command: AnyCommand, status: ChatSessionStatus, subject: Subject) -> DomainError | None:
    if command is Command.READ:
        return None
    if status is ChatSessionStatus.DELETED:
        return InvalidTransition("The chat is deleted.")
    if command in _NEED_OPEN and status in CLOSED:
        return InvalidTransition(f"The chat is {status}; it has to be reopened first.")
    if command is Command.RECEIVE and status in ENDED and status is not ChatSessionStatus.FINISHED:
        return InvalidTransition(f"The chat is {status}; only a finished one is re-activated by its customer.")
    if command is ChatCommand.RATE and subject.when_started is None:
        return InvalidTransition("Only a chat that a user accepted can be rated.")
    return None


def _of_holder(command: AnyCommand, subject: Subject, actor: Actor, now: datetime) -> DomainError | None:
    if command is Command.CLAIM:
        return _of_topic(subject, actor)
    if command is Command.REPLY:
        return held_by_other(subject, actor, now)
    if command is ChatCommand.RESET:
        holder = holder_of(subject, now)
        if holder is not None and holder != actor.user_id and not actor.is_admin:
            return AlreadyClaimed("Another user holds this.", claimed_by=holder, claimed_until=subject.claimed_until)
    return None


def _of_topic(subject: Subject, actor: Actor) -> DomainError | None:
    if may_respond(subject.responders, actor.user_id) or actor.is_admin:
        return None
    return Forbidden("Only a member of the topic who may respond can take its chats.")


def may_respond(responders: tuple[int, ...], user_id: int) -> bool:
    """Whether the user may take chats of a topic with these responders. A topic without responders is open to
    everybody."""
    return not responders or user_id in responders


def _of_transfer(command: AnyCommand, status: ChatSessionStatus, subject: Subject, actor: Actor) -> DomainError | None:
    if command is ChatCommand.TRANSFER:
        if subject.assignee_id is None or status not in ACTIVE:
            return InvalidTransition("Only a chat that somebody handles can be transferred.")
        if subject.assignee_id != actor.user_id and not actor.is_admin:
            return Forbidden("Only the user who handles the chat may transfer it.")
        if subject.transfer_to_id is not None:
            return InvalidTransition("A transfer is pending; cancel it first.")
    elif command in (ChatCommand.CANCEL_TRANSFER, ChatCommand.ACCEPT_TRANSFER, ChatCommand.REJECT_TRANSFER):
        if subject.transfer_to_id is None:
            return Conflict("No transfer of the chat is pending.")
        if command is ChatCommand.CANCEL_TRANSFER:
            if subject.assignee_id != actor.user_id and not actor.is_admin:
                return Forbidden("Only the user who handles the chat may cancel its transfer.")
        elif subject.transfer_to_id != actor.user_id:
            return Forbidden("The chat is being transferred to somebody else.")
        elif command is ChatCommand.ACCEPT_TRANSFER:
            return _of_topic(subject, actor)
    return None
