"""A ticket with its contract's fields, and its rules as pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from app.core.actor import Actor
from app.core.errors import DomainError, NotSupported
from app.directory.model.checks import text
from app.interactions.claims import OF_EVERY_KIND, Refusable, held_by_other, may_write, shared_block, shared_refusal
from app.interactions.claims import VIEWER_COLUMNS as VIEWER_COLUMNS
from app.interactions.model import AnyCommand, Cause, Command, Facets, Interaction, Level, ReplyBlock, State

NAME = "ticket"
PREFIX = "tic"
OVERDUE = "OVERDUE"
REASONS: Mapping[str, str] = MappingProxyType({OVERDUE: "A ticket was handed to a level at which it is overdue."})
LAST_LEVEL = 3

SUBJECT = text(255, blank=False)
"""The check of a subject."""


class TicketStatus(StrEnum):
    """Where a ticket stands."""

    NEW = "NEW"
    SOLVED = "SOLVED"


class TicketCommand(AnyCommand):
    """What a user can ask of a ticket, beside what it can ask of every interaction."""

    ESCALATE = "ESCALATE"


COMMANDS = frozenset({*OF_EVERY_KIND, *TicketCommand, Command.CLOSE, Command.REOPEN, Command.DELETE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket(Interaction):
    """A ticket with every field of its contract; `ticket_number` is the contract's key."""

    kind: str = NAME
    ticket_number: str
    subject: str = ""
    level: int = 1
    status: TicketStatus = TicketStatus.NEW

    @property
    def facets(self) -> Facets:
        return Facets(status=self.status.value, contract_key=self.ticket_number)


class Subject(Refusable, Protocol):
    """What the rules look at: a Ticket, or a row of VIEWER_COLUMNS."""


def state(ticket: Ticket) -> State:
    return State.CLOSED if ticket.status is TicketStatus.SOLVED else State.OPEN


def causes(ticket: Ticket, overdue_level: int) -> Sequence[Cause]:
    """A ticket of this level or a later one needs a human until it is solved."""
    return () if ticket.level < overdue_level else (Cause(OVERDUE, Level.HIGH, "solving it"),)


def refusal(command: AnyCommand, subject: Subject, actor: Actor, now: datetime) -> DomainError | None:
    """Why the actor may not do this now; None when it may."""
    if command not in COMMANDS and may_write(subject, actor):
        return NotSupported("A ticket has no such command.")
    refused = shared_refusal(command, subject, actor, now)
    if refused is not None or command is not Command.REPLY:
        return refused
    return held_by_other(subject, actor, now)


def reply_block(subject: Subject, actor: Actor, now: datetime) -> ReplyBlock | None:
    """Why the actor cannot reply now; None when it can."""
    return shared_block(subject, actor, now) if may_write(subject, actor) else ReplyBlock.NOT_ALLOWED
