"""The single write path of interactions: lock, authorize, derive, save, record."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from app.core.actor import Actor
from app.core.errors import AlreadyClaimed, DomainError, Forbidden, NotFound, require_version
from app.core.ids import GlobalId
from app.core.replacing import replace
from app.core.sight import sees_some
from app.directory.repository import UserRepository
from app.interactions import events
from app.interactions.history import edits
from app.interactions.meaning import InteractionEvent
from app.interactions.model import (
    AnyCommand,
    Attention,
    Cause,
    Command,
    Interaction,
    State,
    derive_attention,
    shared_causes,
)
from app.interactions.repository.interactions import InteractionRepository
from app.interactions.repository.waits import WaitRepository
from app.interactions.service.assigning import require_able
from app.interactions.service.bordering import within_borders
from app.interactions.service.marking import mark_opened, marked, opening
from app.interactions.service.recording import record
from app.interactions.service.returning import moved_to_team, returned
from app.interactions.service.seeing import require_latest
from app.interactions.waiting import settled

if TYPE_CHECKING:
    from app.interactions.rules import KindRules
    from app.settings import Settings
    from app.storage.database import Work

I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of these signatures

_PAST: Mapping[Command, InteractionEvent] = {
    Command.CLAIM: events.Claimed(),
    Command.RELEASE: events.Released(),
    Command.ASSIGN: events.Assigned(),
    Command.CLOSE: events.Closed(),
    Command.REOPEN: events.Reopened(),
    Command.SNOOZE: events.Snoozed(),
    Command.UNSNOOZE: events.Unsnoozed(),
    Command.MARK_READ: events.Read(),
    Command.LABEL: events.Labelled(),
    Command.ASSIGN_TEAM: events.TeamAssigned(),
    Command.RAISE_ATTENTION: events.AttentionRaisedByHand(),
    Command.CLEAR_ATTENTION: events.AttentionClearedByHand(),
    Command.ACKNOWLEDGE: events.Acknowledged(),
    Command.UPDATE: events.Updated(),
    Command.RESUME_BOT: events.BotResumed(),
    Command.DELETE: events.Deleted(),
}
"""What happened when a command was done, where its caller does not say it: a kind's own commands do."""

# These happen all the time in a busy exchange; counted, they would make every `ifVersion` conflict.
_NO_EDIT = frozenset(
    {
        Command.READ,
        Command.REPLY,
        Command.BOT_REPLY,
        Command.RECEIVE,
        Command.IMPORT,
        Command.MARK_READ,
        Command.NOTE,
        Command.TYPE,
        Command.REACT,
        Command.REPORT_STATUS,
    }
)


def kind_of(work: "Work", ref: GlobalId) -> "KindRules[Any]":
    """The kind that the id's prefix names. Raises NotFound for a prefix that is no kind's."""
    for kind in work.kinds.values():
        if kind.prefix == ref.prefix:
            found: KindRules[Any] = kind
            return found
    raise missing(ref)


def missing(ref: GlobalId) -> NotFound:
    """The error for an interaction that does not exist or that the actor may not see."""
    return NotFound(f"There is no interaction {ref}.", path=("id",))


def load(work: "Work", actor: Actor, ref: GlobalId) -> Any:
    """Lock and read an interaction that the actor may see. Raises NotFound."""
    kind = kind_of(work, ref)
    viewer = actor.viewer
    found = kind.load(work, ref.number) if sees_some(viewer.permissions, kind.name) else None
    if found is None or not viewer.sees(found.kind, found.team_id, found.assignee_id):
        raise missing(ref)
    return found


def is_out_of_sight(actor: Actor, found: Interaction) -> bool:
    """Whether the actor sees some interactions of the kind, and not this one.

    An actor that sees none and writes for a channel finds interactions by their customers."""
    seen = actor.viewer.sees(found.kind, found.team_id, found.assignee_id)
    return not seen and sees_some(actor.viewer.permissions, found.kind)


def is_seen(work: "Work", actor: Actor, ref: GlobalId, kind: str) -> bool:
    """Whether the actor may see the interaction of the kind. It is locked if that depends on the interaction."""
    if actor.can_read(kind):
        return True
    try:
        load(work, actor, ref)
    except NotFound:
        return False
    return True


def begin(
    work: "Work",
    actor: Actor,
    ref: GlobalId,
    command: AnyCommand,
    *,
    if_version: int | None = None,
    if_latest_message: GlobalId | None = None,
) -> Any:
    """Lock the interaction for a command and check that the actor may give it now; the interaction.

    Raises NotFound, Forbidden, VersionConflict, NewerMessage, and the kind's refusal of the command."""
    before = kind_of(work, ref).held_for(work, load(work, actor, ref), command)
    check(work, actor, before, command, if_version)
    require_latest(work, before, if_latest_message)
    return before


def check(
    work: "Work",
    actor: Actor,
    found: Interaction,
    command: AnyCommand,
    if_version: int | None = None,
    *,
    override: bool = False,
) -> None:
    """Raise the kind's refusal of the command, and VersionConflict unless the caller saw this version.

    With `override` it may be held by another user."""
    refusal = work.kinds[found.kind].refusal(command, found, actor, work.now, work.settings)
    if not (override and isinstance(refusal, AlreadyClaimed)):
        require_allowed(work, refusal)
    require_version(found.version, if_version)


def require_allowed(work: "Work", refusal: DomainError | None, *path: str) -> None:
    """Raise a kind's refusal, if there is one, at the path of the input if one is given.

    An AlreadyClaimed names the holder in its text: every caller may see the names of users."""
    if refusal is None:
        return
    if path:
        refusal.path = path
    if isinstance(refusal, AlreadyClaimed):
        holder = work.use(UserRepository).get(refusal.claimed_by)
        if holder is not None:
            refusal.message = f"{holder.name} holds this."
    raise refusal


def write(
    work: "Work",
    actor: Actor,
    before: I,
    changed: I,
    command: AnyCommand,
    happened: InteractionEvent | None = None,
    *,
    renewed: bool = False,
    seen: bool = False,
) -> I:
    """Save what differs, record the event, and return the interaction after the command.

    `before` is the locked interaction, `changed` what the command made of it; state, attention, version and updated_at
    are derived. `happened` replaces the command's own event. `renewed` tells of the attention again even where it is
    the same as before. Closing ends the customer's wait when the actor has `seen` the latest message, or has read all
    of them. Raises what `require_able` raises."""
    kind: KindRules[I] = work.kinds[before.kind]
    changed = returned(work, actor, before, changed)
    require_able(work, actor, before, changed)
    if changed.assignee_id != before.assignee_id:
        changed = replace(changed, answered_lease=None, lease_answer_id=None)
    changed = moved_to_team(work, actor, before, within_borders(work, before, changed))
    after = settle(work, kind, changed, renewed=renewed)
    if after.waiting.needed and _closes(actor, before, after, seen=seen):
        latest = work.use(WaitRepository).latest_asking(after.id)
        after = replace(after, waiting=settled(after.waiting, latest or 0))
    told = happened or _PAST[Command(command)]
    if after == before and not told.stands_alone:
        return before
    edited = command not in _NO_EDIT and edits(after) != edits(before)
    if after != before:
        after = marked(work, actor, before, after, command)
        after = replace(after, version=before.version + 1 if edited else before.version, updated_at=work.now)
        after = armed(work, after)
        work.use(InteractionRepository).save(before, after)
        kind.save(work, before, after)
    kind.on_written(work, actor, before, after, command, told)
    record(work, actor, before, after, told, renewed=renewed)
    return after


def _closes(actor: Actor, before: Interaction, after: Interaction, *, seen: bool) -> bool:
    """Whether a user who has seen the customer's messages closes the interaction."""
    closed = after.state is State.CLOSED and before.state is not State.CLOSED
    return closed and bool(actor.user_id) and (seen or after.unread_customer_messages_count == 0)


def settle(work: "Work", kind: "KindRules[I]", changed: I, *, renewed: bool = False) -> I:
    """The interaction with state and attention derived from the kind's rules, the wait and the raised level."""
    state = kind.state(changed, work.now, work.settings)
    causes = causes_of(work, kind, changed) if state is State.OPEN else []
    attention = derive_attention(changed.attention, causes, work.now, renewed=renewed)
    if state is changed.state and attention == changed.attention:
        return changed
    return replace(changed, state=state, attention=attention)


def causes_of(work: "Work", kind: "KindRules[I]", interaction: I) -> list[Cause]:
    """The causes of attention of an open interaction: its kind's, then those that all kinds share."""
    own = kind.causes(interaction, work.now, work.settings)
    return [*own, *shared_causes(interaction, own)]


def next_due(kind: "KindRules[I]", interaction: I, now: datetime, settings: "Settings") -> datetime | None:
    """The time of the interaction's next deadline, or None."""
    turn = kind.next_turn(interaction, now, settings)
    lease = interaction.claimed_until
    if turn is None or lease is None:
        return turn or lease
    return min(turn, lease)


def armed(work: "Work", interaction: I) -> I:
    """The same with a `due_at` that is not too late. One that is too early stays: most deadlines move with every
    message, and looking once too often costs less than a write for each."""
    due = next_due(work.kinds[interaction.kind], interaction, work.now, work.settings)
    if due is None or (interaction.due_at is not None and interaction.due_at <= due):
        return interaction
    return replace(interaction, due_at=due)


def open_interaction(
    work: "Work",
    actor: Actor,
    new: I,
    add: Callable[[I], I],
    happened: InteractionEvent = events.Created(),  # noqa: B008 - it has no fields and does not change
) -> I:
    """Store a new interaction with its repository's `add` and record the event; the same with its id.

    Raises Forbidden for an actor who may not change the new interaction, or who sees only others of the kind."""
    actor.require_writing(new.kind)
    opened = settle(work, work.kinds[new.kind], within_borders(work, None, new))
    if not actor.may_write(new.kind, opened.team_id, opened.assignee_id) or is_out_of_sight(actor, opened):
        raise Forbidden(
            f"You could not see or change this interaction: your permissions cover only some of the kind {new.kind}."
        )
    stored = add(armed(work, opening(opened)))
    mark_opened(work, stored)
    record(work, actor, None, stored, happened)
    return stored


def remove(
    work: "Work",
    actor: Actor,
    ref: GlobalId,
    *,
    if_version: int | None = None,
) -> Any:
    """Delete an interaction with its messages and notes, and return it. Its events stay; they hold no text.

    Raises as `begin` does."""
    before = begin(work, actor, ref, Command.DELETE, if_version=if_version)
    erase(work, actor, before, _PAST[Command.DELETE])
    return before


def erase(work: "Work", actor: Actor, before: Interaction, happened: InteractionEvent) -> None:
    """The second half of `remove`, for a command that has loaded and checked the interaction itself."""
    work.use(InteractionRepository).delete(before.id)
    gone = replace(before, state=State.CLOSED, attention=Attention())
    record(work, actor, before, gone, happened, is_gone=True)
