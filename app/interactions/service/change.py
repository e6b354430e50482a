"""The one way by which an interaction comes to be, changes and goes: locked, checked, derived, saved, told."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from app.core.actor import Actor
from app.core.errors import NotFound, VersionConflict
from app.core.events import Event
from app.core.ids import GlobalId
from app.interactions.history import changes, filterable
from app.interactions.model import RAISED, Attention, Cause, Command, Interaction, State, derive_attention
from app.interactions.repository.interactions import InteractionRepository

if TYPE_CHECKING:
    from app.interactions.rules import KindRules
    from app.settings import Settings
    from app.storage.database import Work

I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of these signatures

_PAST = {
    Command.CLAIM: "claimed",
    Command.RELEASE: "released",
    Command.ASSIGN: "assigned",
    Command.CLOSE: "closed",
    Command.REOPEN: "reopened",
    Command.SNOOZE: "snoozed",
    Command.UNSNOOZE: "unsnoozed",
    Command.REPLY: "message_sent",
    Command.BOT_REPLY: "message_sent",
    Command.RECEIVE: "message_received",
    Command.MARK_READ: "read",
    Command.LABEL: "labelled",
    Command.RAISE_ATTENTION: "attention_raised",
    Command.CLEAR_ATTENTION: "attention_cleared",
    Command.ACKNOWLEDGE: "acknowledged",
    Command.REACT: "reacted",
    Command.REPORT_STATUS: "message_status_reported",
    Command.UPDATE: "updated",
    Command.TRANSFER: "transferred",
    Command.CANCEL_TRANSFER: "transfer_cancelled",
    Command.ACCEPT_TRANSFER: "transfer_accepted",
    Command.REJECT_TRANSFER: "transfer_rejected",
    Command.RESET: "reset",
    Command.RATE: "rated",
    Command.RESTART: "restarted",
    Command.DELETE: "deleted",
}
_OF_EVENT = frozenset({"assignee_id", "customer_id", "level"})
# These happen all the time in a busy exchange; counted, they would make every `ifVersion` conflict.
_NO_EDIT = frozenset(
    {
        Command.READ,
        Command.REPLY,
        Command.BOT_REPLY,
        Command.RECEIVE,
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
    """The answer for what is not there, and for what the actor may not see."""
    return NotFound(f"There is no interaction {ref}.", path=("id",))


def load(work: "Work", actor: Actor, ref: GlobalId) -> Any:
    """Lock and read an interaction that the actor may see. Raises NotFound."""
    kind = kind_of(work, ref)
    found = kind.load(work, ref.number) if actor.can_read(kind.name) else None
    if found is None:
        raise missing(ref)
    return found


def change(
    work: "Work",
    actor: Actor,
    ref: GlobalId,
    command: Command,
    f: Callable[[Any], Any],
    *,
    if_version: int | None = None,
    topic: str | None = None,
    data: Mapping[str, object] | None = None,
) -> Any:
    """Lock the interaction, apply `f`, and write what became different with its events; the interaction after.

    `f` takes the kind's model and gives the changed one; what it cannot know (state, attention, version, updated_at)
    is derived. `topic` is the event's past tense in place of the command's own; with `data` the event is written even
    when no field of the interaction differs, and holds it.
    Raises NotFound, Forbidden, VersionConflict, what the kind refuses the command with, and what `f` raises."""
    before = load(work, actor, ref)
    check(work, actor, before, command, if_version)
    return write(work, actor, before, f(before), command, topic=topic, data=data)


def check(work: "Work", actor: Actor, found: Interaction, command: Command, if_version: int | None = None) -> None:
    """Raise what the kind refuses the command with, and VersionConflict unless the caller saw this version."""
    refusal = work.kinds[found.kind].refusal(command, found, actor, work.now, work.settings)
    if refusal is not None:
        raise refusal
    if if_version is not None and if_version != found.version:
        raise VersionConflict(
            f"This is version {found.version} by now, not {if_version}.",
            current_version=found.version,
            path=("if_version",),
        )


def write(
    work: "Work",
    actor: Actor,
    before: I,
    changed: I,
    command: Command,
    *,
    topic: str | None = None,
    data: Mapping[str, object] | None = None,
) -> I:
    """The second half of `change`, for a command that has loaded and checked the interaction itself."""
    kind: KindRules[I] = work.kinds[before.kind]
    after = settle(work, kind, changed)
    if after == before and not data:
        return before
    edited = command not in _NO_EDIT and _without_arrivals(after) != _without_arrivals(before)
    if after != before:
        after = replace(after, version=before.version + 1 if edited else before.version, updated_at=work.now)
        after = armed(work, after)
        work.use(InteractionRepository).save(before, after)
        kind.save(work, before, after)
    record(work, actor, before, after, topic or _PAST[command], data)
    return after


def settle(work: "Work", kind: "KindRules[I]", changed: I) -> I:
    """The same with its state and its attention as the kind's rules and the raised level make them."""
    state = kind.state(changed, work.now, work.settings)
    causes: list[Cause] = []
    if state is State.OPEN:
        causes.extend(kind.causes(changed, work.now, work.settings))
        if changed.raised_level is not None:
            causes.append(Cause(RAISED, changed.raised_level, "clearAttention", clearable=True))
    attention = derive_attention(changed.attention, causes, work.now)
    if state is changed.state and attention == changed.attention:
        return changed
    return replace(changed, state=state, attention=attention)


def next_due(kind: "KindRules[I]", interaction: I, now: datetime, settings: "Settings") -> datetime | None:
    """When time alone will next do something to the interaction; None when it never will."""
    turn = kind.next_turn(interaction, now, settings)
    lease = interaction.claimed_until
    if turn is None or lease is None:
        return turn or lease
    return min(turn, lease)


def armed(work: "Work", interaction: I) -> I:
    """The same with a `due_at` that is not too late. One that has become too early stays: most deadlines move away with
    every message, and it costs less to find that out once than to write it down each time."""
    due = next_due(work.kinds[interaction.kind], interaction, work.now, work.settings)
    if due is None or (interaction.due_at is not None and interaction.due_at <= due):
        return interaction
    return replace(interaction, due_at=due)


def open_interaction(
    work: "Work",
    actor: Actor,
    new: I,
    add: Callable[[I], I],
    *,
    topic: str = "created",
    data: Mapping[str, object] | None = None,
) -> I:
    """Store a new interaction through its repository's `add` and tell of it; the same with its id.

    Raises Forbidden without the kind's write permission."""
    actor.require(f"{new.kind}:write")
    stored = add(armed(work, settle(work, work.kinds[new.kind], new)))
    record(work, actor, None, stored, topic, data)
    return stored


def remove(
    work: "Work",
    actor: Actor,
    ref: GlobalId,
    *,
    if_version: int | None = None,
    topic: str | None = None,
) -> Any:
    """Delete an interaction with all that hangs on it; what it was. Its events stay, and hold no text.

    Raises as `change` does."""
    before = load(work, actor, ref)
    check(work, actor, before, Command.DELETE, if_version)
    erase(work, actor, before, topic or _PAST[Command.DELETE])
    return before


def erase(work: "Work", actor: Actor, before: Interaction, topic: str) -> None:
    """The second half of `remove`, for a command that has loaded and checked the interaction itself."""
    work.use(InteractionRepository).delete(before.id)
    gone = replace(before, state=State.CLOSED, attention=Attention())
    record(work, actor, before, gone, topic, is_gone=True)


def _without_arrivals(interaction: Interaction) -> Interaction:
    """What an edit could have changed: neither what is derived, nor what messages and notes count up."""
    return replace(
        interaction,
        state=State.OPEN,
        attention=Attention(),
        last_message_at=None,
        latest_message_id=None,
        latest_customer_message_id=None,
        latest_note_id=None,
        unread_customer_messages_count=0,
        due_at=None,
    )


def record(
    work: "Work",
    actor: Actor,
    before: Interaction | None,
    after: Interaction,
    topic: str,
    data: Mapping[str, object] | None = None,
    *,
    is_gone: bool = False,
) -> None:
    """Tell of a change, and of what it did to the attention. A topic without a dot is the kind's own.

    Beside `data` the event holds what filters ask: `after`, without what the event's own fields say, and `before` as
    far as it differs; null where the interaction was not there yet, or `is_gone`."""
    was = Attention() if before is None else before.attention
    now = after.attention
    facts: dict[str, object] = {} if data is None else dict(data)
    new = filterable(after)
    if before is None:
        facts["before"] = None
    else:
        if changed := list(changes(before, after)):
            facts["changes"] = changed
        old = filterable(before)
        if different := {name: value for name, value in old.items() if is_gone or value != new.get(name)}:
            facts["before"] = different
    facts["after"] = None if is_gone else {name: value for name, value in new.items() if name not in _OF_EVENT}
    attention_differs = (was.level, was.reason) != (now.level, now.reason)
    if attention_differs:
        facts["attention"] = "changed" if was.needed and now.needed else "raised" if now.needed else "cleared"

    def event(name: str, holds: Mapping[str, object]) -> Event:
        return Event(
            topic=name,
            kind=after.kind,
            interaction_id=after.id,
            customer_id=after.customer_id,
            assignee_id=after.assignee_id,
            actor_id=actor.user_id or None,
            version=after.version,
            level_before=None if was.level is None else int(was.level),
            level_after=None if now.level is None else int(now.level),
            data=holds,
        )

    work.record(event(topic if "." in topic else f"{after.kind}.{topic}", facts))
    if attention_differs:
        holds: dict[str, object] = {"reason_before": was.reason, "reason_after": now.reason, "after": facts["after"]}
        if "before" in facts:
            holds["before"] = facts["before"]
        work.record(event(f"attention.{facts['attention']}", holds))
