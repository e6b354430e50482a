"""A Session (Dirty Lemon), and its rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypedDict

from app.connections.model.outbox import refused_by
from app.core.actor import CONNECTION, Actor
from app.core.errors import DomainError, InvalidInput, InvalidTransition, NotSupported, TooLong, Unreachable
from app.core.replacing import replace
from app.interactions import claims as shared
from app.interactions.claims import OF_EVERY_KIND, Refusable, held_by_other, shared_block
from app.interactions.model import AnyCommand, Cause, Command, Facets, Interaction, Level, ReplyBlock, State, Turn
from app.kinds.session.events import Ended, Flagged
from app.kinds.session.model.suggestions import LARGEST_LIST, SuggestedMessage, Suggestion
from app.kinds.session.settings import SessionSettings

if TYPE_CHECKING:
    from app.settings import Settings

NAME = "session"
PREFIX = "ses"
SYSTEM = NAME.upper()
"""The system of its customers, as the directory names it."""

FLAGGED = "FLAGGED"
REASONS = {FLAGGED: "The Session's `needAttention` is true."}

_AGES_OUT = "A Session is not closed or reopened: it ages out after its last message."

LONGEST_TAG = 255

COMMANDS = OF_EVERY_KIND | {Command.RESUME_BOT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Interaction):
    """A Session with every field of its contract. `session_key` is the contract's `id`, a UUID.

    `suggested_messages` is None unless a command replaces them; they are stored in their own table. The following are
    only read from related rows: `unsubscribed` and `has_number` are the customer's. `cannot` are the commands that its
    connection cannot do, None for a session that is written to no other system."""

    kind: str = NAME
    session_key: str
    need_attention: bool = False
    tags: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    suggested_messages: tuple[SuggestedMessage, ...] | None = None
    unsubscribed: bool = False
    has_number: bool = True
    cannot: str | None = None

    @property
    def facets(self) -> Facets:
        return Facets(contract_key=self.session_key)


class SessionChanges(TypedDict, total=False):
    """The fields of an update. An absent key leaves the field unchanged. None clears a list."""

    need_attention: bool
    tags: Sequence[str] | None
    topics: Sequence[str] | None
    suggested_messages: Sequence[Suggestion] | None


class Subject(Refusable, Protocol):
    """What the rules look at: a Session, or a row of VIEWER_COLUMNS."""

    @property
    def created_at(self) -> datetime: ...

    @property
    def last_message_at(self) -> datetime | None: ...

    @property
    def waiting_since(self) -> datetime | None: ...

    @property
    def need_attention(self) -> bool: ...

    @property
    def unsubscribed(self) -> bool: ...

    @property
    def has_number(self) -> bool: ...

    @property
    def cannot(self) -> str | None: ...


VIEWER_COLUMNS = (
    *shared.VIEWER_COLUMNS,
    "created_at",
    "last_message_at",
    "waiting_since",
    "need_attention",
    "unsubscribed",
    "has_number",
    "cannot",
)
"""The columns that `refusal` reads."""


def window_end(session: Subject, window: timedelta) -> datetime | None:
    """When the Session stops being current if no message follows. None while it does not end: it is flagged, or held by
    a user whose answer its customer waits for.

    The window counts from the latest message. If the first message that waits for an answer arrived late, it counts
    from its arrival. A Session without messages counts from its creation, because it was opened for one."""
    if session.need_attention or (session.assignee_id is not None and session.waiting_since is not None):
        return None
    last = session.last_message_at or session.created_at
    return (last if session.waiting_since is None else max(last, session.waiting_since)) + window


def is_current(session: Subject, now: datetime, window: timedelta) -> bool:
    """Whether something keeps the Session current: a message within the last `window`, a flag, or a customer who waits
    for the user."""
    end = window_end(session, window)
    return end is None or now < end


def state(session: Subject, now: datetime, window: timedelta) -> State:
    """OPEN while it is current. Only time closes a Session."""
    return State.OPEN if is_current(session, now, window) else State.CLOSED


def turn(session: Session, now: datetime, window: timedelta) -> Turn[Session] | None:
    """What time has done to the Session: it is over, or it is flagged because a user has raised its attention."""
    if is_current(session, now, window):
        return None
    return Turn(Flagged(), flagged(session, True)) if _is_raised(session) else Turn(Ended(), session)


def causes(session: Session) -> Sequence[Cause]:
    """The reasons why a human is needed: only the flag says so."""
    if not session.need_attention:
        return ()
    return (Cause(FLAGGED, Level.HIGH, "needAttention false", clearable=True),)


def refusal(
    command: AnyCommand, subject: Subject, actor: Actor, now: datetime, settings: "Settings"
) -> DomainError | None:
    """Why the actor may not do this now; None when it may."""
    if command is Command.REPORT_STATUS and actor is CONNECTION:
        return None
    if command not in COMMANDS and shared.may_write(subject, actor):
        return NotSupported(
            _AGES_OUT if command in (Command.CLOSE, Command.REOPEN) else "A Session does not support this command."
        )
    if command is Command.RAISE_ATTENTION and subject.state == State.CLOSED and shared.may_write(subject, actor):
        return InvalidTransition("This Session is over; set needAttention to bring it back.")
    refused = shared.shared_refusal(command, subject, actor, now)
    if refused is None and actor is not CONNECTION:
        refused = refused_by(command, subject.cannot)
    if refused is not None or command not in (Command.REPLY, Command.BOT_REPLY):
        return refused
    if not is_current(subject, now, settings.session_window):
        return InvalidTransition(
            "This Session is over: its last message is too long ago. The customer's next message opens another; "
            "to write in this one, set needAttention first."
        )
    unflagged = command is Command.REPLY and not subject.need_attention
    if unflagged and not settings.of(SessionSettings).allow_reply_without_attention:
        return InvalidTransition("A user may write in a Session only while its needAttention is true.")
    held = held_by_other(subject, actor, now) if command is Command.REPLY else None
    return unreachable(subject) or held


def reply_block(subject: Subject, actor: Actor, now: datetime, settings: "Settings") -> ReplyBlock | None:
    """Why the actor's reply would not reach the customer, or would interfere with somebody else's; None when
    neither."""
    if not shared.may_write(subject, actor) or refused_by(Command.REPLY, subject.cannot) is not None:
        return ReplyBlock.NOT_ALLOWED
    if not is_current(subject, now, settings.session_window):
        return ReplyBlock.CLOSED
    if not subject.need_attention and not settings.of(SessionSettings).allow_reply_without_attention:
        return ReplyBlock.BOT_IN_CHARGE
    if subject.unsubscribed:
        return ReplyBlock.UNSUBSCRIBED
    return shared_block(subject, actor, now) if subject.has_number else ReplyBlock.NO_NUMBER


def unreachable(subject: Subject) -> Unreachable | None:
    """Why no message reaches the customer; None when messages do."""
    if subject.unsubscribed:
        return Unreachable("The customer has unsubscribed.")
    if not subject.has_number:
        return Unreachable("The customer has no phone number.")
    return None


def flagged(session: Session, need_attention: bool) -> Session:
    """Ask for a human, which pauses the bot, or stop asking, which lets the bot continue."""
    return replace(session, need_attention=need_attention, bot_active=not need_attention)


def released(session: Session, now: datetime, window: timedelta) -> Session:
    """The Session, no longer held. It asks for a human if it would be over while its customer waits, or while its
    attention is raised."""
    needed = session.waiting.needed or _is_raised(session)
    return flagged(session, True) if needed and not is_current(session, now, window) else session


def _is_raised(session: Session) -> bool:
    return session.raised_level is not None and session.state is State.OPEN


def updated(session: Session, changes: SessionChanges) -> Session:
    """The Session with the changes. Suggested messages are separate rows, see `replaced_suggestions`.

    Raises InvalidInput or TooLong with the path in `changes`."""
    if "need_attention" in changes:
        session = flagged(session, changes["need_attention"])
    tags, topics = session.tags, session.topics
    if "tags" in changes:
        tags = _words("tags", changes["tags"] or ())
    if "topics" in changes:
        topics = _words("topics", changes["topics"] or ())
    return replace(session, tags=tags, topics=topics)


def _words(name: str, words: Sequence[str]) -> tuple[str, ...]:
    """A list of tags or topics in the given order, each once."""
    if len(words) > LARGEST_LIST:
        raise TooLong(f"There can be at most {LARGEST_LIST} {name}.", path=(name,))
    for index, word in enumerate(words):
        if not word.strip():
            raise InvalidInput("This cannot be empty.", path=(name, index))
        if len(word) > LONGEST_TAG:
            raise TooLong(f"This can have at most {LONGEST_TAG} characters.", path=(name, index))
    return tuple(dict.fromkeys(words))
