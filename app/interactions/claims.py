"""The holder of an interaction, and the refusals that every kind shares."""

from datetime import datetime
from typing import Protocol

from app.core.actor import Actor
from app.core.errors import AlreadyClaimed, Conflict, DomainError, Forbidden, InvalidTransition
from app.core.sight import sees_some
from app.interactions.model import AnyCommand, Command, Level, ReplyBlock, State

VIEWER_COLUMNS = (
    *("kind", "state", "team_id", "assignee_id", "claimed_until", "bot_active", "attention_level"),
    "lost_holder_id",
)
"""The common columns that `shared_refusal` looks at; a kind's own VIEWER_COLUMNS begin with these."""


OF_EVERY_KIND = frozenset(
    {
        Command.READ,
        Command.CLAIM,
        Command.RELEASE,
        Command.ASSIGN,
        Command.REPLY,
        Command.BOT_REPLY,
        Command.RECEIVE,
        Command.IMPORT,
        Command.MARK_READ,
        Command.NOTE,
        Command.TYPE,
        Command.LABEL,
        Command.ASSIGN_TEAM,
        Command.UPDATE,
        Command.RAISE_ATTENTION,
        Command.CLEAR_ATTENTION,
        Command.ACKNOWLEDGE,
    }
)
"""The commands that every kind takes. A kind lists its own beside them, and refuses what it does not list."""


class Refusable(Protocol):
    """The attributes that refusals read: of a model, or of a row of VIEWER_COLUMNS."""

    @property
    def kind(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def team_id(self) -> int: ...

    @property
    def assignee_id(self) -> int | None: ...

    @property
    def claimed_until(self) -> datetime | None: ...

    @property
    def bot_active(self) -> bool: ...

    @property
    def lost_holder_id(self) -> int | None: ...


def may_write(subject: Refusable, actor: Actor) -> bool:
    """Whether the actor's permissions let it change the interaction."""
    return actor.may_write(subject.kind, subject.team_id, subject.assignee_id)


def not_permitted(subject: Refusable, actor: Actor) -> Forbidden:
    """The refusal of any change of the interaction by an actor whose permissions do not let it."""
    if actor.writes_some(subject.kind):
        text = f"Your permissions let you change only some interactions of the kind {subject.kind}, and not this one."
        return Forbidden(text, lacks_permission=True)
    return _missing(subject.kind, "write")


def holder_of(subject: Refusable, now: datetime) -> int | None:
    """The user who holds the interaction now. A lease that has ended does not count, nor does a user who cannot work on
    it."""
    if subject.claimed_until is not None and subject.claimed_until <= now:
        return None
    if subject.assignee_id == subject.lost_holder_id:
        return None
    return subject.assignee_id


def shared_refusal(command: AnyCommand, subject: Refusable, actor: Actor, now: datetime) -> DomainError | None:
    """The refusal that every kind has for this command now, or None.

    A kind's `refusal` calls this first and then applies its own rules, NotSupported among them."""
    if command is Command.READ:
        return None if sees_some(actor.viewer.permissions, subject.kind) else _missing(subject.kind, "read")
    if not may_write(subject, actor):
        return not_permitted(subject, actor)
    match command:
        case Command.CLAIM:
            return _closed(subject) or _held(subject, actor, now, even_from_admins=True)
        case Command.ASSIGN:
            return _held(subject, actor, now)
        case Command.RELEASE:
            if holder_of(subject, now) is None:
                return InvalidTransition("Nobody holds this interaction, so there is nothing to release.")
            return _held(subject, actor, now)
        case Command.CLOSE:
            return InvalidTransition("This interaction is closed already.") if _is(subject, State.CLOSED) else None
        case Command.REOPEN:
            return None if _is(subject, State.CLOSED) else InvalidTransition("This interaction is not closed.")
        case Command.SNOOZE:
            return _closed(subject)
        case Command.UNSNOOZE:
            return None if _is(subject, State.SNOOZED) else InvalidTransition("This interaction is not snoozed.")
        case Command.RAISE_ATTENTION:
            return _closed(subject) or _snoozed(subject)
        case Command.RESUME_BOT:
            return _closed(subject) or _bot_in_charge(subject) or _held(subject, actor, now)
        case Command.CLEAR_ATTENTION | Command.ACKNOWLEDGE:
            level: Level | int | None = getattr(subject, "attention_level", None)
            return Conflict("This interaction needs no attention now.") if level is None else None
        case _:
            return None


def _is(subject: Refusable, state: State) -> bool:
    return subject.state == state


def _missing(kind: str, verb: str) -> Forbidden:
    return Forbidden(f"This needs the permission {kind}:{verb}.", lacks_permission=True)


def _closed(subject: Refusable) -> DomainError | None:
    return InvalidTransition("This interaction is closed; reopen it first.") if _is(subject, State.CLOSED) else None


def _snoozed(subject: Refusable) -> DomainError | None:
    return (
        InvalidTransition("This interaction is snoozed; end its snooze first.") if _is(subject, State.SNOOZED) else None
    )


def _bot_in_charge(subject: Refusable) -> DomainError | None:
    if subject.bot_active and subject.assignee_id is None:
        return InvalidTransition("The bot is in charge already.")
    return None


def held_by_other(subject: Refusable, actor: Actor, now: datetime) -> AlreadyClaimed | None:
    """The refusal of a reply to an interaction that another user holds, or None."""
    return _held(subject, actor, now, even_from_admins=True)


def shared_block(subject: Refusable, actor: Actor, now: datetime) -> ReplyBlock | None:
    """Why no kind lets the actor reply now without overriding another user, or None. A kind checks its own reasons
    first."""
    return None if held_by_other(subject, actor, now) is None else ReplyBlock.HELD_BY_OTHER


def _held(subject: Refusable, actor: Actor, now: datetime, *, even_from_admins: bool = False) -> AlreadyClaimed | None:
    holder = holder_of(subject, now)
    if holder is None or holder == actor.user_id or (actor.is_admin and not even_from_admins):
        return None
    return AlreadyClaimed("Another user holds this.", claimed_by=holder, claimed_until=subject.claimed_until)
