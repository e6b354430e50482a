"""The one way by which an interaction comes to be, changes and goes: locked, checked, derived, saved, told."""

from collections.abc import Callable, Mapping
from dataclasses import replace
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
    Command.RECEIVE: "message_received",
    Command.MARK_READ: "read",
    Command.NOTE: "noted",
    Command.TYPE: "typing",
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
# These happen all the time in a busy exchange; counted, they would make every `ifVersion` conflict.
_NO_EDIT = frozenset(
    {Command.REPLY, Command.RECEIVE, Command.MARK_READ, Command.TYPE, Command.REACT, Command.REPORT_STATUS}
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
    client_mutation_id: str | None = None,
    topic: str | None = None,
    data: Mapping[str, object] | None = None,
) -> Any:
    """Lock the interaction, apply `f`, and write what became different with its events; the interaction after.

    `f` takes the kind's model and gives the changed one; what it cannot know (state, attention, version, updated_at)
    is derived. `topic` is the event's past tense in place of the command's own; with `data` the event is written even
    when no field of the interaction differs, and holds it.
    Raises NotFound, Forbidden, VersionConflict, what the kind refuses the command with, and what `f` raises."""
    kind = kind_of(work, ref)
    before = load(work, actor, ref)
    refusal = kind.refusal(command, before, actor, work.now, work.settings)
    if refusal is not None:
        raise refusal
    check_version(before, if_version)
    return write(work, actor, before, f(before), command, client_mutation_id=client_mutation_id, topic=topic, data=data)


def check_version(found: Interaction, if_version: int | None) -> None:
    """Raise VersionConflict unless the interaction is still the one that the caller saw."""
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
    client_mutation_id: str | None = None,
    topic: str | None = None,
    data: Mapping[str, object] | None = None,
) -> I:
    """The second half of `change`, for a command that has loaded and checked the interaction itself."""
    kind: KindRules[I] = work.kinds[before.kind]
    after = settle(work, kind, changed)
    if after == before and data is None:
        return before
    edited = command not in _NO_EDIT and after != replace(
        before, attention=after.attention, latest_note_id=after.latest_note_id
    )
    if after != before:
        after = replace(after, version=before.version + 1 if edited else before.version, updated_at=work.now)
        work.use(InteractionRepository).save(before, after)
        kind.save(work, before, after)
    _record(work, actor, before, after, f"{kind.name}.{topic or _PAST[command]}", client_mutation_id, data)
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


def open_interaction(
    work: "Work",
    actor: Actor,
    new: I,
    add: Callable[[I], I],
    *,
    client_mutation_id: str | None = None,
    topic: str = "created",
    data: Mapping[str, object] | None = None,
) -> I:
    """Store a new interaction through its repository's `add` and tell of it; the same with its id.

    Raises Forbidden without the kind's write permission."""
    actor.require(f"{new.kind}:write")
    kind: KindRules[I] = work.kinds[new.kind]
    stored = add(settle(work, kind, new))
    _record(work, actor, None, stored, f"{kind.name}.{topic}", client_mutation_id, data)
    return stored


def remove(
    work: "Work",
    actor: Actor,
    ref: GlobalId,
    *,
    if_version: int | None = None,
    client_mutation_id: str | None = None,
    topic: str | None = None,
) -> Any:
    """Delete an interaction with all that hangs on it; what it was. Its events stay, and hold no text.

    Raises as `change` does."""
    kind = kind_of(work, ref)
    before = load(work, actor, ref)
    refusal = kind.refusal(Command.DELETE, before, actor, work.now, work.settings)
    if refusal is not None:
        raise refusal
    check_version(before, if_version)
    work.use(InteractionRepository).delete(before.id)
    gone = replace(before, state=State.CLOSED, attention=Attention())
    name = f"{kind.name}.{topic or _PAST[Command.DELETE]}"
    _record(work, actor, before, gone, name, client_mutation_id, None)
    return before


def _record(
    work: "Work",
    actor: Actor,
    before: Interaction | None,
    after: Interaction,
    topic: str,
    client_mutation_id: str | None,
    data: Mapping[str, object] | None,
) -> None:
    was = Attention() if before is None else before.attention
    now = after.attention
    facts: dict[str, object] = {} if data is None else dict(data)
    if before is not None:
        if changed := list(changes(before, after)):
            facts["changes"] = changed
        old, new = filterable(before), filterable(after)
        if different := {name: value for name, value in old.items() if value != new.get(name)}:
            facts["before"] = different

    def event(name: str, holds: Mapping[str, object]) -> Event:
        return Event(
            topic=name,
            kind=after.kind,
            interaction_id=after.id,
            customer_id=after.customer_id,
            assignee_id=after.assignee_id,
            actor_id=actor.user_id or None,
            client_mutation_id=client_mutation_id,
            version=after.version,
            level_before=None if was.level is None else int(was.level),
            level_after=None if now.level is None else int(now.level),
            data=holds,
        )

    work.record(event(topic, facts))
    if (was.level, was.reason) != (now.level, now.reason):
        turn = "changed" if was.needed and now.needed else "raised" if now.needed else "cleared"
        holds = {"reason_before": was.reason, "reason_after": now.reason}
        if "before" in facts:
            holds["before"] = facts["before"]  # type: ignore[assignment]
        work.record(event(f"attention.{turn}", holds))
