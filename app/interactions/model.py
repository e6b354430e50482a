"""The model that interactions of every kind share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

from app.directory.model import NO_TEAM
from app.interactions.meaning import InteractionEvent
from app.interactions.waiting import NOT_WAITING, Waiting


class State(StrEnum):
    """The state of an interaction, the same for all kinds."""

    OPEN = "OPEN"
    SNOOZED = "SNOOZED"
    CLOSED = "CLOSED"


class Level(IntEnum):
    """How urgently a human is needed; stored as this number, so that the queue's order is ascending."""

    URGENT = 1
    HIGH = 2
    NORMAL = 3
    LOW = 4


MISSED = "MISSED"
CUSTOMER_WAITING = "CUSTOMER_WAITING"
DELIVERY_FAILED = "DELIVERY_FAILED"
ORPHANED = "ORPHANED"
RAISED = "RAISED"
SYNC_REFUSED = "SYNC_REFUSED"
SYNC_UNCERTAIN = "SYNC_UNCERTAIN"

SHARED_REASONS: Mapping[str, str] = MappingProxyType(
    {
        MISSED: "A human was requested while nobody was present, or the reply window closed while the customer waited.",
        CUSTOMER_WAITING: "The customer waits for an answer from a human.",
        DELIVERY_FAILED: "The latest answer was not delivered, and the customer waits.",
        ORPHANED: "The assignee is inactive, or may not see the interaction.",
        RAISED: "A user raised the attention.",
        SYNC_REFUSED: "The connected system refused a user's change. It was undone here where possible.",
        SYNC_UNCERTAIN: "It is not known whether the connected system made a user's change.",
    }
)
"""The attention reasons that are not one kind's alone."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason why an interaction needs a human.

    `ends_with` tells people what ends it. `clearable` causes end by clearAttention. `user_id` is the user who is asked,
    where that is not the assignee."""

    reason: str
    level: Level
    ends_with: str
    clearable: bool = False
    deadline: datetime | None = None
    user_id: int | None = None


class AnyCommand(StrEnum):
    """A command that users can give on an interaction, of all kinds or of one. `viewerCan` has a field for each."""


class Command(AnyCommand):
    """The commands that every kind allows or refuses."""

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
    IMPORT = "IMPORT"
    MARK_READ = "MARK_READ"
    NOTE = "NOTE"
    TYPE = "TYPE"
    LABEL = "LABEL"
    ASSIGN_TEAM = "ASSIGN_TEAM"
    RAISE_ATTENTION = "RAISE_ATTENTION"
    CLEAR_ATTENTION = "CLEAR_ATTENTION"
    ACKNOWLEDGE = "ACKNOWLEDGE"
    REACT = "REACT"
    REPORT_STATUS = "REPORT_STATUS"
    UPDATE = "UPDATE"
    RESUME_BOT = "RESUME_BOT"
    DELETE = "DELETE"


class ReplyBlock(StrEnum):
    """Why a user cannot reply now, or why the reply would not reach the customer or would cross another user."""

    NOT_ALLOWED = "NOT_ALLOWED"
    CLOSED = "CLOSED"
    BLOCKED = "BLOCKED"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    NO_NUMBER = "NO_NUMBER"
    ACCOUNT_OFFLINE = "ACCOUNT_OFFLINE"
    CUSTOMER_MUST_ANSWER = "CUSTOMER_MUST_ANSWER"
    WINDOW_CLOSED = "WINDOW_CLOSED"
    BOT_IN_CHARGE = "BOT_IN_CHARGE"
    HELD_BY_OTHER = "HELD_BY_OTHER"
    CONNECTION_DOWN = "CONNECTION_DOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Whether, why and since when a human is needed; `level` is None when none is.

    `user_id` is whom it asks, where that is not the interaction's assignee."""

    level: Level | None = None
    reason: str | None = None
    reasons: tuple[str, ...] = ()
    since: datetime | None = None
    deadline: datetime | None = None
    user_id: int | None = None
    acknowledged_by: int | None = None
    acknowledged_at: datetime | None = None

    @property
    def needed(self) -> bool:
        return self.level is not None


class Facets(NamedTuple):
    """The values by which all kinds are filtered, grouped and found; None where the kind has no such value.

    `status` and `channel` are names of enums of the graph. `account` is the global id of the account that the customer
    wrote to: a ChannelAgent, an AiAgent or a ChatTopic. `contract_key` is the key in the kind's contract as text."""

    status: str | None = None
    channel: str | None = None
    account: str | None = None
    contract_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One exchange with one customer. Each kind's model extends it with the fields of its contract.

    `id` is the surrogate key, `customer_id`, `assignee_id`, `latest_*_id` are surrogates too. `due_at` is when time
    alone is next asked what it has done to the interaction: never later than the first deadline, often earlier, because
    a deadline that moved away is found when it comes up. `lease_answer_id` is the holder's first answer since a claim
    with a lease; `answered_lease` is the end of that lease while one of the answers since stands: it runs again when
    none does. `sync_trouble` is what went wrong in the connected system, REFUSED or UNCERTAIN, with what `sync_user_id`
    had asked for. `opened_at` is when it was created or last reopened, None where that was before reports counted;
    `first_waited_since` is the beginning of the first wait that a user answered. `lost_holder_id` is the assignee when
    it was loaded, if that user is not active or may not see the interaction; it is read along, never written here."""

    id: int
    kind: str
    customer_id: int | None
    assignee_id: int | None = None
    team_id: int = NO_TEAM
    team_fixed: bool = False
    claimed_until: datetime | None = None
    answered_lease: datetime | None = None
    lease_answer_id: int | None = None
    state: State = State.OPEN
    bot_active: bool = False
    labels: tuple[str, ...] = ()
    waiting: Waiting = NOT_WAITING
    raised_level: Level | None = None
    raised_note: str | None = None
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
    sync_trouble: str | None = None
    sync_user_id: int | None = None
    opened_at: datetime | None = None
    first_waited_since: datetime | None = None
    lost_holder_id: int | None = None

    @property
    def facets(self) -> Facets:
        """What lists of all kinds are narrowed by; stored beside the common columns, and never read back."""
        return Facets()

    @property
    def waiting_since(self) -> datetime | None:
        """The time since when the customer waits, under the name of its column."""
        return self.waiting.since

    @property
    def attention_level(self) -> Level | None:
        """The level, under the name of its column: refusals read it from a model or from a row."""
        return self.attention.level


I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of a turn


@dataclass(frozen=True, slots=True)
class Turn(Generic[I]):
    """A change by time alone. `after` is None when the interaction is to be erased."""

    happened: InteractionEvent
    after: I | None


def shared_causes(interaction: Interaction, causes: Sequence[Cause]) -> Sequence[Cause]:
    """The causes that every kind has, in addition to the kind's own `causes`."""
    found: list[Cause] = []
    waits = interaction.waiting.needed
    if waits and (not interaction.bot_active or interaction.assignee_id is not None):
        found.append(Cause(CUSTOMER_WAITING, Level.NORMAL, "answering the customer, or closing it"))
    if waits and interaction.waiting.failed:
        found.append(Cause(DELIVERY_FAILED, Level.HIGH, "an answer that is delivered, or closing it"))
    if interaction.lost_holder_id is not None and interaction.lost_holder_id == interaction.assignee_id:
        level = min((cause.level for cause in (*causes, *found)), default=Level.LOW)
        found.append(Cause(ORPHANED, level, "claiming, assigning or releasing it"))
    if interaction.sync_trouble is not None:
        found.append(
            Cause(
                f"SYNC_{interaction.sync_trouble}",
                Level.HIGH,
                "retryOutboxEntry, dropOutboxEntry or clearAttention",
                clearable=True,
                user_id=interaction.sync_user_id,
            )
        )
    if interaction.raised_level is not None:
        found.append(Cause(RAISED, interaction.raised_level, "clearAttention", clearable=True))
    return found


def derive_attention(before: Attention, causes: Sequence[Cause], now: datetime, *, renewed: bool = False) -> Attention:
    """The attention that follows from the causes.

    `since` stays while attention stays needed. An acknowledgement ends when the level rises, when attention ends, and
    when it is `renewed`: the customer wrote again."""
    if not causes:
        return Attention()
    chief = min(causes, key=lambda cause: cause.level)
    deadlines = [cause.deadline for cause in causes if cause.deadline is not None]
    kept = before.needed and not renewed and (before.level is None or chief.level >= before.level)
    return Attention(
        level=chief.level,
        reason=chief.reason,
        reasons=tuple(cause.reason for cause in causes),
        since=before.since if before.needed else now,
        deadline=min(deadlines) if deadlines else None,
        user_id=next((cause.user_id for cause in causes if cause.user_id is not None), None),
        acknowledged_by=before.acknowledged_by if kept else None,
        acknowledged_at=before.acknowledged_at if kept else None,
    )
