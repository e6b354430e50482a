"""An AgentSession (Vectara), and its rules."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import MAXYEAR, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol, TypedDict

from app.connections.model.outbox import refused_by
from app.core.actor import CONNECTION, Actor
from app.core.errors import Disabled, DomainError, InvalidInput, NotSupported, TooLong
from app.core.numbers import LARGEST_LONG
from app.directory.model.checks import Check, Path, flag, line, optional, text, whole
from app.interactions import claims as shared
from app.interactions.claims import OF_EVERY_KIND, Refusable
from app.interactions.events import Deleted
from app.interactions.model import AnyCommand, Cause, Command, Facets, Interaction, ReplyBlock, State, Turn
from app.kinds.agent_session.model.agent import LONGEST_DESCRIPTION, LONGEST_NAME
from app.kinds.agent_session.model.metadata import escalation, json_object

NAME = "agent_session"
PREFIX = "ags"
SYSTEM = NAME.upper()
"""The system of its customers, as the directory names it."""

ESCALATED = "ESCALATED"
REASONS = {ESCALATED: "The metadata of the AgentSession marks it as escalated; a setting defines how."}

MASK = "****"
MOST_SECRETS = 100
LONGEST_SECRET = 4096
_SECRET_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)

COMMANDS = OF_EVERY_KIND | {Command.CLOSE, Command.REOPEN, Command.RESUME_BOT, Command.DELETE}


class Status(StrEnum):
    """Whether the agent is working in a session."""

    UNSTARTED = "UNSTARTED"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSession(Interaction):
    """An AgentSession with every field of its contract. `agent_session_key` is the contract's `key`, unique per agent.

    `metadata` is its text, byte for byte. `secrets` has only the names, each with a mask: no value is stored. The
    following are only read from related rows: `agent_key` is the agent's key. `mirrored` says that the session came
    from another system. `cannot` are the commands that its connection cannot do, None for a session that is written to
    no other system."""

    kind: str = NAME
    agent_id: int
    agent_key: str
    agent_session_key: str
    name: str
    description: str | None = None
    metadata: str = "{}"
    enabled: bool = True
    tti_minutes: int = 0
    current_step_name: str | None = None
    session_context_usage: Mapping[str, int] | None = None
    effective_compaction: Mapping[str, Any] | None = None
    status: Status = Status.UNSTARTED
    created_by_agent_key: str | None = None
    created_by_session_key: str | None = None
    alias_key: str | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    mirrored: bool = False
    cannot: str | None = None

    @property
    def facets(self) -> Facets:
        return Facets(self.status.value, None, f"aia_{self.agent_id}", self.agent_session_key)


class AgentSessionChanges(TypedDict, total=False):
    """The fields of an update. An absent key leaves the field unchanged. None clears description and metadata. Secrets
    are merged, and None removes one. `metadata` is a JSON object, or its text."""

    name: str
    description: str | None
    metadata: Any
    enabled: bool
    tti_minutes: int
    secrets: Mapping[str, str | None] | None


SESSION_CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "name": line(LONGEST_NAME, blank=False),
        "description": optional(text(LONGEST_DESCRIPTION)),
        "metadata": json_object,
        "enabled": flag,
        "tti_minutes": whole(0, LARGEST_LONG),
    }
)


class Subject(Refusable, Protocol):
    """What `refusal` looks at: an AgentSession, or a row of VIEWER_COLUMNS."""

    @property
    def enabled(self) -> bool: ...

    @property
    def cannot(self) -> str | None: ...


VIEWER_COLUMNS = (*shared.VIEWER_COLUMNS, "enabled", "cannot")
"""The columns that `refusal` reads."""


def state(session: AgentSession) -> State:
    """OPEN while it is enabled."""
    return State.OPEN if session.enabled else State.CLOSED


def causes(session: AgentSession, rule: Mapping[str, Sequence[str] | None]) -> Sequence[Cause]:
    """The reasons why a human is needed: the metadata asks for one. Only other metadata ends that."""
    level = escalation(session.metadata, rule)
    return () if level is None else (Cause(ESCALATED, level, "metadata that no longer escalates"),)


def refusal(
    command: AnyCommand, subject: Subject, actor: Actor, now: datetime, _settings: object = None
) -> DomainError | None:
    """Why the actor may not do this now; None when it may."""
    if command not in COMMANDS and shared.may_write(subject, actor):
        return NotSupported("An AgentSession does not support this command.")
    refused = shared.shared_refusal(command, subject, actor, now)
    if refused is None and actor is not CONNECTION:
        refused = refused_by(command, subject.cannot)
    if refused is not None or command not in (Command.REPLY, Command.BOT_REPLY, Command.RECEIVE):
        return refused
    if not subject.enabled:
        return Disabled("This AgentSession is disabled and accepts no new messages.")
    return shared.held_by_other(subject, actor, now) if command is Command.REPLY else None


def reply_block(subject: Subject, actor: Actor, now: datetime, _settings: object = None) -> ReplyBlock | None:
    """Why the actor's reply would interfere with somebody else's now; None when it would not."""
    if not shared.may_write(subject, actor) or refused_by(Command.REPLY, subject.cannot) is not None:
        return ReplyBlock.NOT_ALLOWED
    return shared.shared_block(subject, actor, now) if subject.enabled else ReplyBlock.CLOSED


class Idle(Protocol):
    """What the end of the idle time depends on: an AgentSession, or a row of IDLE_COLUMNS."""

    @property
    def state(self) -> str: ...

    @property
    def assignee_id(self) -> int | None: ...

    @property
    def waiting_since(self) -> datetime | None: ...

    @property
    def attention_level(self) -> int | None: ...

    @property
    def updated_at(self) -> datetime: ...

    @property
    def tti_minutes(self) -> int: ...

    @property
    def mirrored(self) -> bool: ...


IDLE_COLUMNS = ("state", "assignee_id", "waiting_since", "attention_level", "updated_at", "tti_minutes", "mirrored")


def deleted_at(session: Idle) -> datetime | None:
    """When a session is deleted if nothing happens to it before. None when it is not, or beyond the calendar's end.

    Whatever happens to the session restarts its idle time. An open session is not idle while it needs a human, is held,
    or its customer waits. A session that came from another system is deleted when that system deletes it."""
    busy = session.attention_level is not None or session.assignee_id is not None or session.waiting_since is not None
    if not session.tti_minutes or session.mirrored or (busy and session.state != State.CLOSED):
        return None
    try:
        found = session.updated_at + timedelta(minutes=session.tti_minutes)
    except OverflowError:
        return None
    # asyncpg takes Python's last moment for infinity.
    return found if found.year < MAXYEAR else None


def turn(session: AgentSession, now: datetime) -> Turn[AgentSession] | None:
    """What time has done to the session: it was idle for too long, and is deleted."""
    expires = deleted_at(session)
    return None if expires is None or expires > now else Turn(Deleted(), None)


def merged_secrets(known: Mapping[str, str], given: Any, path: Path = ("secrets",)) -> Mapping[str, str]:
    """The names of secrets after a merge patch: a value sets one, None removes it. Values are checked and discarded.

    A masked value that is written back changes nothing. Raises InvalidInput or TooLong with the secret's path."""
    if given is None:
        return known
    if not isinstance(given, Mapping):
        raise InvalidInput("This takes a JSON object of secrets by name.", path=path)
    after = dict(known)
    for name, value in given.items():
        if not isinstance(name, str) or _SECRET_NAME.fullmatch(name) is None:
            raise InvalidInput("A secret's name has letters, digits, underscores and hyphens.", path=path)
        if value is None:
            after.pop(name, None)
        elif not isinstance(value, str) or not value:
            raise InvalidInput(f"A secret has 1 to {LONGEST_SECRET} characters.", path=(*path, name))
        elif len(value) > LONGEST_SECRET:
            raise TooLong(f"A secret has 1 to {LONGEST_SECRET} characters.", path=(*path, name))
        elif value != MASK:
            after[name] = MASK
    if len(after) > MOST_SECRETS:
        raise TooLong(f"There can be at most {MOST_SECRETS} secrets.", path=path)
    return after
