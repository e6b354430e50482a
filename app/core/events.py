"""What happened, as it is written to the event log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact, named in the past tense (`chat_session.transferred`).

    `data` holds JSON scalars, lists and objects: changed field names with their scalars before and after. Never
    message text and never a secret, because a deletion must erase."""

    topic: str
    kind: str | None = None
    interaction_id: int | None = None
    customer_id: int | None = None
    assignee_id: int | None = None
    actor_id: int | None = None
    client_mutation_id: str | None = None
    version: int | None = None
    level_before: int | None = None
    level_after: int | None = None
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """An event with its place in the log."""

    lane: int
    position: int
    at: datetime
    event: Event
