"""Brings notes to other systems, and theirs here."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from app.connections.model.outbox import NOTE, NOTE_GONE, NOTE_TEXT
from app.connections.repository.notes import MirroredNoteRepository
from app.connections.repository.outbox import OutboxRepository
from app.connections.service.outbox import note_slot, queue_creation, queue_value
from app.connections.service.sending import adopt_note
from app.core.actor import CONNECTION, Actor
from app.core.ids import GlobalId
from app.interactions import events
from app.interactions.meaning import InteractionEvent
from app.interactions.repository.messages import NoteRepository
from app.interactions.service.change import load
from app.interactions.service.notes import LONGEST_NOTE, add_note, edit_note

if TYPE_CHECKING:
    from app.storage.work import Work


class Theirs(NamedTuple):
    """A note as the other system has it."""

    key: str
    text: str
    created_at: datetime | None


def queue_note(work: "Work", actor: Actor, interaction_id: int, happened: InteractionEvent) -> None:
    """Queue what happened to a note of the interaction, if something did."""
    match happened:
        case events.NoteAdded():
            note = work.use(NoteRepository).get(happened.note_id)
            if note is not None:
                # An edit that follows is an entry of its own: this text is what is looked for after a doubt.
                queue_creation(work, actor, interaction_id, NOTE, {"note": note.id, "text": note.text}, None)
        case events.NoteEdited():
            note = work.use(NoteRepository).get(happened.note_id)
            if note is not None:
                value = {"note": note.id, "text": note.text}
                queue_value(work, actor, interaction_id, NOTE_TEXT, value, None, slot=note_slot(note.id))
        case events.NoteDeleted():
            _queue_deletion(work, actor, interaction_id, happened.note_id)


def note_details(work: "Work", interaction_id: int, action: str, value: Any) -> Mapping[str, object] | None:
    """What the other system needs in order to do something to a note. None when it does not have the note."""
    if action == NOTE:
        return {"text": value["text"]}
    if action == NOTE_GONE:
        return {"key": value}
    key = work.use(MirroredNoteRepository).key_of(interaction_id, value["note"])
    return None if key is None else {"key": key, "text": value["text"]}


def note_restored(work: "Work", interaction_id: int, action: str, value: Any) -> None:
    """The other system still has the note as it was: the next read brings its text, or the note itself."""
    if action == NOTE_GONE:
        work.use(MirroredNoteRepository).forget(interaction_id, value)


def take_notes(work: "Work", ref: GlobalId, given: Sequence[Theirs], shared: Collection[str]) -> None:
    """Store the notes that are not here, oldest first, and update the others. What is still to be done there to a note
    that is in `shared` wins until then."""
    notes, places = work.use(NoteRepository), work.use(MirroredNoteRepository)
    known = places.known(ref.number)
    for each in given:
        text = each.text[:LONGEST_NOTE]
        if not text.strip():
            continue
        if each.key not in known:
            if not adopt_note(work, load(work, CONNECTION, ref), text, each.key):
                added = add_note(work, CONNECTION, ref, text, created_at=each.created_at)
                places.note(ref.number, each.key, added.note)
            continue
        number = known[each.key]
        note = None if number is None or note_slot(number) in shared else notes.get(number)
        if note is not None and note.text != text:
            edit_note(work, CONNECTION, GlobalId("not", note.id), text)


def _queue_deletion(work: "Work", actor: Actor, interaction_id: int, note_id: int) -> None:
    places, entries = work.use(MirroredNoteRepository), work.use(OutboxRepository)
    for each in entries.active(interaction_id):
        if each.action == NOTE and each.value["note"] == note_id:
            entries.replace_waiting(each.id)
    key = places.key_of(interaction_id, note_id)
    if key is not None:
        places.note(interaction_id, key, None)
        queue_value(work, actor, interaction_id, NOTE_GONE, key, key, slot=note_slot(note_id))
