"""Closing, reopening, snoozing; labels; raising, clearing and acknowledging attention."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.core.actor import Actor
from app.core.errors import InvalidInput, NotClearable
from app.core.ids import GlobalId
from app.directory.model.checks import distinct, line, text
from app.interactions.model import Command, Interaction, Level
from app.interactions.service.change import begin, causes_of, kind_of, write

if TYPE_CHECKING:
    from app.interactions.rules import KindRules
    from app.storage.work import Work

MOST_LABELS = 64
_RAISED_NOTE = text(1_000, blank=False)
_UNTROUBLED: Mapping[str, None] = {"sync_trouble": None, "sync_user_id": None}
_LABELS = distinct(line(64, blank=False), MOST_LABELS)


def close(
    work: "Work",
    actor: Actor,
    ref: GlobalId,
    *,
    if_version: int | None = None,
    if_latest_message: GlobalId | None = None,
) -> Any:
    """Put the interaction into its kind's closed state. Raises NotSupported, and what `begin` raises."""
    before = begin(work, actor, ref, Command.CLOSE, if_version=if_version, if_latest_message=if_latest_message)
    after = kind_of(work, ref).on_close(work, actor, before)
    return write(work, actor, before, after, Command.CLOSE, seen=if_latest_message is not None)


def resume_bot(work: "Work", actor: Actor, ref: GlobalId, *, if_version: int | None = None) -> Any:
    """Release the interaction to its bot. Raises NotSupported, and what `begin` raises."""
    before = begin(work, actor, ref, Command.RESUME_BOT, if_version=if_version)
    after = kind_of(work, ref).on_resume_bot(work, replace(before, assignee_id=None, claimed_until=None))
    return write(work, actor, before, after, Command.RESUME_BOT)


def reopen(work: "Work", actor: Actor, ref: GlobalId, *, if_version: int | None = None) -> Any:
    """Put the interaction into its kind's open state. Raises NotSupported, and what `begin` raises."""
    before = begin(work, actor, ref, Command.REOPEN, if_version=if_version)
    return write(work, actor, before, kind_of(work, ref).on_reopen(work, actor, before), Command.REOPEN)


def snooze(
    work: "Work",
    actor: Actor,
    ref: GlobalId,
    until: datetime,
    *,
    if_version: int | None = None,
    if_latest_message: GlobalId | None = None,
) -> Any:
    """Set the interaction aside until a time. Raises InvalidInput unless that is in the future, NotSupported by most
    kinds, and what `begin` raises."""
    before = begin(work, actor, ref, Command.SNOOZE, if_version=if_version, if_latest_message=if_latest_message)
    if until <= work.now:
        raise InvalidInput("A snooze must end in the future.", path=("until",))
    after = kind_of(work, ref).on_snooze(work, actor, before, until)
    return write(work, actor, before, after, Command.SNOOZE, seen=if_latest_message is not None)


def unsnooze(work: "Work", actor: Actor, ref: GlobalId, *, if_version: int | None = None) -> Any:
    """End the interaction's snooze now. Raises NotSupported by most kinds, and what `begin` raises."""
    before = begin(work, actor, ref, Command.UNSNOOZE, if_version=if_version)
    return write(work, actor, before, kind_of(work, ref).on_snooze(work, actor, before, None), Command.UNSNOOZE)


def set_labels(
    work: "Work", actor: Actor, ref: GlobalId, labels: Sequence[str], *, if_version: int | None = None
) -> Any:
    """Replace the interaction's labels: at most 64, each a line of 1 to 64 characters; the order is kept."""
    return _label(work, actor, ref, labels, lambda _, given: given, if_version)


def add_labels(
    work: "Work", actor: Actor, ref: GlobalId, labels: Sequence[str], *, if_version: int | None = None
) -> Any:
    """Append the labels to those of the interaction, without duplicates."""
    return _label(work, actor, ref, labels, lambda before, given: tuple(dict.fromkeys(before + given)), if_version)


def remove_labels(
    work: "Work", actor: Actor, ref: GlobalId, labels: Sequence[str], *, if_version: int | None = None
) -> Any:
    """Remove the labels from those of the interaction."""
    return _label(
        work, actor, ref, labels, lambda before, given: tuple(one for one in before if one not in given), if_version
    )


def raise_attention(
    work: "Work",
    actor: Actor,
    ref: GlobalId,
    level: Level = Level.HIGH,
    *,
    note: str | None = None,
    if_version: int | None = None,
) -> Any:
    """Raise the attention by hand; `note` is for other users, 1 to 1,000 characters.

    Raises InvalidTransition for one that is closed or snoozed, InvalidInput, TooLong, and what `begin` raises."""
    before = begin(work, actor, ref, Command.RAISE_ATTENTION, if_version=if_version)
    said = None if note is None else _RAISED_NOTE(note, ("note",))
    after = replace(before, raised_level=level, raised_note=said)
    return write(work, actor, before, after, Command.RAISE_ATTENTION)


def clear_attention(work: "Work", actor: Actor, ref: GlobalId, *, if_version: int | None = None) -> Any:
    """End the reasons that end by hand: RAISED, and those that the kind allows. Others stay.

    Raises NotClearable when none of its reasons ends by hand, and what `begin` raises."""
    kind = kind_of(work, ref)
    before = begin(work, actor, ref, Command.CLEAR_ATTENTION, if_version=if_version)
    require_clearable(work, kind, before)
    after = kind.on_clear(work, actor, replace(before, raised_level=None, raised_note=None, **_UNTROUBLED))
    return write(work, actor, before, after, Command.CLEAR_ATTENTION)


def require_clearable(work: "Work", kind: "KindRules[Any]", interaction: Interaction) -> None:
    """Raise NotClearable when none of the interaction's reasons ends by hand; the error names what would end them."""
    if interaction.raised_level is not None or interaction.sync_trouble is not None:
        return
    causes = causes_of(work, kind, interaction)
    if causes and not any(cause.clearable for cause in causes):
        ends = "; ".join(f"{cause.reason} ends with {cause.ends_with}" for cause in causes)
        raise NotClearable(f"Clearing does not end this attention: {ends}.", reasons=[cause.reason for cause in causes])


def acknowledge(work: "Work", actor: Actor, ref: GlobalId) -> Any:
    """Note that the actor knows of the attention, until its level rises or it ends."""
    before = begin(work, actor, ref, Command.ACKNOWLEDGE)
    attention = before.attention
    if attention.acknowledged_by != actor.user_id:
        attention = replace(attention, acknowledged_by=actor.user_id, acknowledged_at=work.now)
    return write(work, actor, before, replace(before, attention=attention), Command.ACKNOWLEDGE)


def _label(
    work: "Work",
    actor: Actor,
    ref: GlobalId,
    labels: Sequence[str],
    join: Callable[[tuple[str, ...], tuple[str, ...]], tuple[str, ...]],
    if_version: int | None,
) -> Any:
    before = begin(work, actor, ref, Command.LABEL, if_version=if_version)
    joined = join(before.labels, _LABELS(labels, ("labels",)))
    return write(work, actor, before, replace(before, labels=_LABELS(joined, ("labels",))), Command.LABEL)
