"""Who may do what to a conversation, and when: one rule for the commands and for `viewerCan`."""

from datetime import datetime
from typing import Protocol

from app.core.actor import Actor
from app.core.errors import DomainError, InvalidTransition, NotSupported, Unreachable
from app.directory.model import Channel
from app.interactions.claims import VIEWER_COLUMNS as COMMON_COLUMNS
from app.interactions.claims import Refusable, shared_refusal
from app.interactions.model import Command

VIEWER_COLUMNS = (*COMMON_COLUMNS, "channel", "reply_until", "blocked")
"""The columns that `refusal` looks at."""

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


class Subject(Refusable, Protocol):
    """What `refusal` is asked about: a Conversation, or a row of VIEWER_COLUMNS."""

    @property
    def channel(self) -> str: ...

    @property
    def reply_until(self) -> datetime | None: ...

    @property
    def blocked(self) -> bool: ...


def refusal(command: Command, subject: Subject, actor: Actor, now: datetime) -> DomainError | None:
    """Why the actor may not do this to the conversation now; None when it may."""
    found = shared_refusal(command, subject, actor, now)
    if found is not None:
        return found
    if command in _FOREIGN:
        return NotSupported(f"A conversation has no command {command}.")
    match command:
        case Command.REPLY | Command.BOT_REPLY | Command.RECEIVE:
            return _blocked(subject)
        case Command.RESTART:
            return _restart(subject, now)
        case _:
            return None


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
