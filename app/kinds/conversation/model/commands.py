"""Who may do what to a conversation, and when: one rule for the commands and for `viewerCan`."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from app.core.actor import Actor
from app.core.errors import AlreadyClaimed, DomainError, Forbidden, InvalidTransition, NotSupported, Unreachable
from app.interactions.model import Command
from app.kinds.conversation.model.conversation import NAME, Channel, Status


class Subject(Protocol):
    """What `refusal` looks at: a Conversation, or a row with columns of these names."""

    @property
    def assignee_id(self) -> int | None: ...

    @property
    def claimed_until(self) -> datetime | None: ...

    @property
    def channel(self) -> str: ...

    @property
    def status(self) -> str: ...

    @property
    def snooze_until(self) -> datetime | None: ...

    @property
    def reply_until(self) -> datetime | None: ...

    @property
    def blocked(self) -> bool: ...


def refusal(command: Command, subject: Subject, actor: Actor, now: datetime) -> DomainError | None:
    """Why the actor may not do this to the conversation now; None when it may."""
    if command == Command.READ:
        return None if actor.can_read(NAME) else Forbidden(f"This needs the permission {NAME}:read.")
    if not actor.can_write(NAME):
        return Forbidden(f"This needs the permission {NAME}:write.")
    if command in _FOREIGN:
        return NotSupported(f"A conversation has no command {command}.")
    rule = _RULES.get(command)
    return None if rule is None else rule(subject, actor, now)


def held_by_another(subject: Subject, actor: Actor, now: datetime) -> AlreadyClaimed | None:
    """The refusal for who is not its holder; a lease that has ended holds nobody back."""
    if subject.assignee_id is None or subject.assignee_id == actor.user_id:
        return None
    if subject.claimed_until is not None and subject.claimed_until <= now:
        return None
    return AlreadyClaimed(
        "Somebody else works on this conversation.",
        claimed_by=subject.assignee_id,
        claimed_until=subject.claimed_until,
    )


def _claim(subject: Subject, actor: Actor, now: datetime) -> DomainError | None:
    if subject.status == Status.DONE:
        return InvalidTransition("The conversation is done; reopen it to claim it.")
    return held_by_another(subject, actor, now)


def _assign(subject: Subject, actor: Actor, now: datetime) -> DomainError | None:
    return None if actor.is_admin else held_by_another(subject, actor, now)


def _release(subject: Subject, actor: Actor, now: datetime) -> DomainError | None:
    if subject.assignee_id is None:
        return InvalidTransition("Nobody works on this conversation.")
    return _assign(subject, actor, now)


def _close(subject: Subject, _actor: Actor, _now: datetime) -> DomainError | None:
    return InvalidTransition("The conversation is done already.") if subject.status == Status.DONE else None


def _reopen(subject: Subject, _actor: Actor, _now: datetime) -> DomainError | None:
    return None if subject.status == Status.DONE else InvalidTransition("The conversation is not done.")


def _open(subject: Subject, _actor: Actor, _now: datetime) -> DomainError | None:
    return InvalidTransition("The conversation is done; reopen it first.") if subject.status == Status.DONE else None


def _unsnooze(subject: Subject, _actor: Actor, now: datetime) -> DomainError | None:
    snoozed = subject.status != Status.DONE and subject.snooze_until is not None and subject.snooze_until > now
    return None if snoozed else InvalidTransition("The conversation is not snoozed.")


def _reply(subject: Subject, _actor: Actor, _now: datetime) -> DomainError | None:
    return Unreachable("The customer's profile is blocked; it receives nothing.") if subject.blocked else None


def _receive(subject: Subject, _actor: Actor, _now: datetime) -> DomainError | None:
    return Unreachable("The customer's profile is blocked; nothing is received from it.") if subject.blocked else None


def _restart(subject: Subject, actor: Actor, now: datetime) -> DomainError | None:
    if subject.channel != Channel.WHATSAPP:
        return NotSupported("Only a conversation on WhatsApp can be restarted.")
    if subject.reply_until is not None and subject.reply_until > now:
        return InvalidTransition("The reply window has not closed yet, so there is nothing to restart.")
    return _reply(subject, actor, now)


_RULES: Mapping[Command, Callable[[Subject, Actor, datetime], DomainError | None]] = {
    Command.CLAIM: _claim,
    Command.ASSIGN: _assign,
    Command.RELEASE: _release,
    Command.CLOSE: _close,
    Command.REOPEN: _reopen,
    Command.SNOOZE: _open,
    Command.UNSNOOZE: _unsnooze,
    Command.REPLY: _reply,
    Command.RECEIVE: _receive,
    Command.RAISE_ATTENTION: _open,
    Command.RESTART: _restart,
}

_FOREIGN = frozenset(
    {
        Command.TRANSFER,
        Command.CANCEL_TRANSFER,
        Command.ACCEPT_TRANSFER,
        Command.REJECT_TRANSFER,
        Command.RESET,
        Command.RATE,
    }
)
