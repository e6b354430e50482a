"""Notes that users leave on an interaction for each other."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from app.core.actor import Actor
from app.core.errors import NotFound
from app.core.ids import GlobalId
from app.directory.model.checks import text
from app.interactions.events import NoteAdded, NoteDeleted, NoteEdited
from app.interactions.model import Command
from app.interactions.repository.messages import Note, NoteRepository
from app.interactions.service.change import begin, is_seen, write
from app.storage.idempotency import once

if TYPE_CHECKING:
    from app.storage.work import Work

LONGEST_NOTE = 65_536
_TEXT = text(LONGEST_NOTE, blank=False)


class Noted(NamedTuple):
    """An interaction with the one of its notes that a command was about; surrogates."""

    interaction: int
    note: int


def add_note(
    work: "Work",
    actor: Actor,
    ref: GlobalId,
    said: str,
    *,
    created_at: datetime | None = None,
    idempotency_key: str | None = None,
) -> Noted:
    """Leave a note of 1 to 65,536 characters. One that is from before has a `created_at`.

    Raises InvalidInput, TooLong, KeyReused, and what `begin` raises."""

    def add() -> tuple[int, int]:
        before, notes = begin(work, actor, ref, Command.NOTE), work.use(NoteRepository)
        at = work.now if created_at is None else min(created_at, work.now)
        note = notes.add(Note(0, ref.number, before.kind, actor.user_id or None, _TEXT(said, ("text",)), at, at))
        latest = note.id if created_at is None else notes.latest(ref.number)
        write(work, actor, before, replace(before, latest_note_id=latest), Command.NOTE, NoteAdded(note_id=note.id))
        return ref.number, note.id

    return Noted(*once(work, actor, idempotency_key, ["addNote", str(ref), said], add))


def edit_note(work: "Work", actor: Actor, note_ref: GlobalId, said: str) -> Noted:
    """Replace a note's text. Raises NotFound, InvalidInput, TooLong, and what `begin` raises."""
    ref = _interaction_of(work, actor, note_ref)
    before = begin(work, actor, ref, Command.NOTE)
    note = _note(work, note_ref)
    work.use(NoteRepository).save(note._replace(text=_TEXT(said, ("text",)), updated_at=work.now))
    write(work, actor, before, before, Command.NOTE, NoteEdited(note_id=note_ref.number))
    return Noted(ref.number, note_ref.number)


def delete_note(work: "Work", actor: Actor, note_ref: GlobalId) -> Noted:
    """Erase a note. Raises NotFound, and what `begin` raises."""
    ref = _interaction_of(work, actor, note_ref)
    before = after = begin(work, actor, ref, Command.NOTE)
    notes = work.use(NoteRepository)
    notes.remove(_note(work, note_ref).id)
    if before.latest_note_id == note_ref.number:
        after = replace(before, latest_note_id=notes.latest(ref.number))
    write(work, actor, before, after, Command.NOTE, NoteDeleted(note_id=note_ref.number))
    return Noted(ref.number, note_ref.number)


def _note(work: "Work", note_ref: GlobalId) -> Note:
    note = work.use(NoteRepository).get(note_ref.number)
    if note is None:
        raise _missing(note_ref)
    return note


def _interaction_of(work: "Work", actor: Actor, note_ref: GlobalId) -> GlobalId:
    note = _note(work, note_ref)
    ref = GlobalId(work.kinds[note.kind].prefix, note.interaction_id)
    if not is_seen(work, actor, ref, note.kind):
        raise _missing(note_ref)
    return ref


def _missing(note_ref: GlobalId) -> NotFound:
    return NotFound(f"There is no note {note_ref}.", path=("id",))
