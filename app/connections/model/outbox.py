"""Entries of the outbox: changes to make in another system."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from app.core.errors import DomainError, NotSupported
from app.interactions.model import AnyCommand


class EntryState(StrEnum):
    """The progress of an entry of the outbox. An entry that is done is deleted."""

    WAITING = "WAITING"
    SENDING = "SENDING"
    LOOKING = "LOOKING"
    UNCERTAIN = "UNCERTAIN"
    REFUSED = "REFUSED"


class UpstreamState(StrEnum):
    """Whether the other system has the changes made here to an interaction or a message."""

    SYNCED = "SYNCED"
    PENDING = "PENDING"
    UNCERTAIN = "UNCERTAIN"
    REFUSED = "REFUSED"


ACTIVE = frozenset({EntryState.WAITING, EntryState.SENDING, EntryState.LOOKING})

ENTRY_PREFIX = "obx"
"""The prefix of the global ids of entries."""

NOTE, NOTE_TEXT, NOTE_GONE = "NOTE", "NOTE_TEXT", "NOTE_GONE"
"""The actions about notes: the first creates one, the others set its text, and delete it."""

VALUE_LASTS = timedelta(hours=24)
"""How long a value is retried."""

CREATING_LASTS = timedelta(hours=1)
"""How long a message to a customer is retried: a late answer is worse than none."""

IN_FLIGHT = timedelta(seconds=60)
"""After how long an entry that is being sent is taken over: longer than a lease and a request take together."""

_SHORTEST, _LONGEST = timedelta(seconds=2), timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change to make in another system. An entry that sets a value has a `slot`; only the newest entry of a slot
    counts, and `confirmed` is the value that the other system had before. An entry that creates something has no slot.
    `tried_at` is when it was tried, if it may have been done since. `attempts` does not count tries to create something
    that certainly had no effect. `error` is for a person."""

    id: int = 0
    connection_id: int
    interaction_id: int
    action: str
    slot: str | None
    value: Any
    confirmed: Any = None
    message_id: int | None = None
    actor_id: int | None = None
    state: EntryState = EntryState.WAITING
    attempts: int = 0
    created_at: datetime
    due_at: datetime
    deadline: datetime
    tried_at: datetime | None = None
    error: str | None = None


def pause_after(attempts: int, wait: float | None) -> timedelta:
    """How long to leave the other system alone after so many attempts, and at least the seconds that it asks for."""
    pause: timedelta = min(_SHORTEST * 2 ** min(max(attempts - 1, 0), 20), _LONGEST)
    return pause if wait is None else max(pause, timedelta(seconds=min(wait, 86_400)))


def pause_of_age(age: timedelta, wait: float | None) -> timedelta:
    """The same for a change that has been tried for so long, and was never accepted."""
    return max(min(age / 4, _LONGEST), pause_after(1, wait))


def refused_by(command: AnyCommand, cannot: str | None) -> DomainError | None:
    """The error for a command that the interaction's connection cannot do; None for any other command."""
    if cannot is None or command not in cannot.split():
        return None
    return NotSupported(f"The connected system of this interaction does not support {command}.")


def cannot_of(cannot: frozenset[str], settings: Mapping[str, object]) -> str:
    """The commands that a connection cannot do: its system's, corrected by the setting `capabilities`."""
    said = settings.get("capabilities")
    corrected: Mapping[str, object] = said if isinstance(said, dict) else {}
    found = {name for name in cannot if corrected.get(name) is not True}
    return " ".join(sorted(found | {name for name, able in corrected.items() if able is False}))
