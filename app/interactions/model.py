"""What every interaction has, whichever of the kinds it is: its state, its attention, who holds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Generic, TypeVar


class State(StrEnum):
    """Where an interaction stands, in the words all kinds share."""

    OPEN = "OPEN"
    SNOOZED = "SNOOZED"
    CLOSED = "CLOSED"


class Level(IntEnum):
    """How urgently a human is needed; stored as this number, so that the queue's order is ascending."""

    URGENT = 1
    HIGH = 2
    NORMAL = 3
    LOW = 4


RAISED = "RAISED"


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why an interaction needs a human.

    `ends_with` says, for a person, what ends it; `clearable` causes end by clearAttention."""

    reason: str
    level: Level
    ends_with: str
    clearable: bool = False
    deadline: datetime | None = None


class Command(StrEnum):
    """What a user can ask of an interaction; the names that `viewerCan` answers for."""

    READ = "READ"
    CLAIM = "CLAIM"
    RELEASE = "RELEASE"
    ASSIGN = "ASSIGN"
    CLOSE = "CLOSE"
    REOPEN = "REOPEN"
    SNOOZE = "SNOOZE"
    UNSNOOZE = "UNSNOOZE"
    REPLY = "REPLY"
    BOT_REPLY = "BOT_REPLY"
    RECEIVE = "RECEIVE"
    MARK_READ = "MARK_READ"
    NOTE = "NOTE"
    TYPE = "TYPE"
    LABEL = "LABEL"
    RAISE_ATTENTION = "RAISE_ATTENTION"
    CLEAR_ATTENTION = "CLEAR_ATTENTION"
    ACKNOWLEDGE = "ACKNOWLEDGE"
    REACT = "REACT"
    REPORT_STATUS = "REPORT_STATUS"
    UPDATE = "UPDATE"
    TRANSFER = "TRANSFER"
    CANCEL_TRANSFER = "CANCEL_TRANSFER"
    ACCEPT_TRANSFER = "ACCEPT_TRANSFER"
    REJECT_TRANSFER = "REJECT_TRANSFER"
    RESET = "RESET"
    RATE = "RATE"
    RESTART = "RESTART"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Whether, why and since when a human is needed; `level` is None when none is."""

    level: Level | None = None
    reason: str | None = None
    reasons: tuple[str, ...] = ()
    since: datetime | None = None
    deadline: datetime | None = None
    acknowledged_by: int | None = None
    acknowledged_at: datetime | None = None

    @property
    def needed(self) -> bool:
        return self.level is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One exchange with one customer. Each kind's model extends it with the fields of its contract.

    `id` is the surrogate key, `customer_id`, `assignee_id`, `latest_*_id` are surrogates too. `due_at` is when time
    alone is next asked what it has done to the interaction: never later than the first deadline, often earlier, because
    a deadline that moved away is found when it comes up."""

    id: int
    kind: str
    customer_id: int | None
    assignee_id: int | None = None
    claimed_until: datetime | None = None
    state: State = State.OPEN
    bot_active: bool = False
    labels: tuple[str, ...] = ()
    raised_level: Level | None = None
    attention: Attention = Attention()
    version: int = 1
    created_at: datetime
    updated_at: datetime
    last_message_at: datetime | None = None
    latest_message_id: int | None = None
    latest_customer_message_id: int | None = None
    latest_note_id: int | None = None
    unread_customer_messages_count: int = 0
    due_at: datetime | None = None

    @property
    def attention_level(self) -> Level | None:
        """The level again, under the name of its column: what a refusal asks about may be a model or a row."""
        return self.attention.level


I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of a turn


@dataclass(frozen=True, slots=True)
class Turn(Generic[I]):
    """What time alone has done to an interaction: `topic` is its past tense, `after` None when it is to be erased."""

    topic: str
    after: I | None


def derive_attention(before: Attention, causes: Sequence[Cause], now: datetime) -> Attention:
    """The attention that the causes amount to.

    `since` stays while attention stays needed; an acknowledgement ends when the level rises or attention ends."""
    if not causes:
        return Attention()
    chief = min(causes, key=lambda cause: cause.level)
    deadlines = [cause.deadline for cause in causes if cause.deadline is not None]
    kept = before.needed and (before.level is None or chief.level >= before.level)
    return Attention(
        level=chief.level,
        reason=chief.reason,
        reasons=tuple(cause.reason for cause in causes),
        since=before.since if before.needed else now,
        deadline=min(deadlines) if deadlines else None,
        acknowledged_by=before.acknowledged_by if kept else None,
        acknowledged_at=before.acknowledged_at if kept else None,
    )
