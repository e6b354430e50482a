"""What is still to be done in another system: an entry, its states, and their rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from app.core.errors import DomainError, NotSupported
from app.interactions.model import AnyCommand


class EntryState(StrEnum):
    """How far an entry of the outbox has come; one that is done is there no more."""

    WAITING = "WAITING"
    SENDING = "SENDING"
    LOOKING = "LOOKING"
    UNCERTAIN = "UNCERTAIN"
    REFUSED = "REFUSED"


class UpstreamState(StrEnum):
    """Whether the connected system has the changes made here to an interaction or a message."""

    SYNCED = "SYNCED"
    PENDING = "PENDING"
    UNCERTAIN = "UNCERTAIN"
    REFUSED = "REFUSED"


ACTIVE = frozenset({EntryState.WAITING, EntryState.SENDING, EntryState.LOOKING})

ENTRY_PREFIX = "obx"
"""The prefix of the global ids of entries."""

VALUE_LASTS = timedelta(hours=24)
"""How long a value is tried to be set."""

CREATING_LASTS = timedelta(hours=1)
"""How long it is tried to send what reaches a customer: a late answer is worse than none."""

IN_FLIGHT = timedelta(seconds=60)
"""After how long an entry that is being sent is taken over: longer than a lease and a request take together."""

_SHORTEST, _LONGEST = timedelta(seconds=2), timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing to do in another system. A value has a `slot`, of which the newest alone counts; `confirmed` is what
    the other system had before. What creates something has none. `tried_at` is when it was tried, if it may have been
    done since. `attempts` leaves out tries to create something that surely were not taken. `error` is for a person."""

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
    """How long to leave the other system alone after so many attempts; at least for the seconds that it asks for."""
    pause: timedelta = min(_SHORTEST * 2 ** min(max(attempts - 1, 0), 20), _LONGEST)
    return pause if wait is None else max(pause, timedelta(seconds=min(wait, 86_400)))


def pause_of_age(age: timedelta, wait: float | None) -> timedelta:
    """The same for something that is tried for so long already, and was never taken."""
    return max(min(age / 4, _LONGEST), pause_after(1, wait))


def refused_by(command: AnyCommand, cannot: str | None) -> DomainError | None:
    """The refusal of a command that is among those which the interaction's connection cannot do; None for any other."""
    if cannot is None or command not in cannot.split():
        return None
    return NotSupported(f"The system that this comes from has no {command}.")


def cannot_of(cannot: frozenset[str], settings: Mapping[str, object]) -> str:
    """The commands that a connection cannot do: its system's, as the setting `capabilities` corrects them."""
    said = settings.get("capabilities")
    corrected: Mapping[str, object] = said if isinstance(said, dict) else {}
    found = {name for name in cannot if corrected.get(name) is not True}
    return " ".join(sorted(found | {name for name, able in corrected.items() if able is False}))
