"""The notes of a conversation."""

from app.core.actor import Actor
from app.core.ids import GlobalId
from app.interactions.service.notes import add_note, delete_note, edit_note
from app.kinds.conversation import service
from app.kinds.conversation.model.conversation import NAME
from app.kinds.conversation.rest import answers, paging, reading
from app.kinds.conversation.rest.bodies import NewNote, NoteUpdate
from app.kinds.conversation.rest.conversations import CONVERSATIONS
from app.kinds.conversation.rest.values import (
    CONVERSATION_ID,
    LISTS,
    READS,
    WRITES,
    conversation_key,
    key,
    key_in_path,
    missing,
)
from app.rest import About, Answer, Call, Operation, Reply, sent
from app.rest.contract import Handler
from app.storage.work import Work


def _listing(base: str) -> Handler:
    async def list_notes(call: Call) -> Reply:
        number, wanted = conversation_key(call), paging.asked(call)
        found = await call.read(reading.LIST_NOTES, conversation_id=number, **wanted.variables)
        if found is None:
            raise missing("conversation", number)
        shown = await call.written(found["notes"], lambda each: reading.note(each, number))
        return Reply(body=paging.page(call, f"{base}/{number}/notes", wanted, shown, found["total"]))

    return list_notes


async def get_note(call: Call) -> Reply:
    """The note that the path names. Raises NotFound."""
    return Reply(body={"data": await _read(call, *_keys(call))})


async def create_note(call: Call) -> Reply:
    """The new note. Raises NotFound, and what `add_note` raises."""
    number = conversation_key(call)
    note_id = await call.perform(_add, number, (await call.given(NewNote)).text, call.idempotency_key)
    return Reply(body=await _read(call, number, note_id))


async def update_note(call: Call) -> Reply:
    """The note with the text of the body, or as it was when the body has none. Raises NotFound, Forbidden, and what
    `edit_note` raises."""
    number, note_id = _keys(call)
    body = await call.json_object()
    call.actor.require_writing(NAME)
    await _read(call, number, note_id)
    for text in NoteUpdate.read(body).given().values():
        await call.perform(edit_note, GlobalId("not", note_id), text)
    return Reply(body=await _read(call, number, note_id))


async def remove_note(call: Call) -> Reply:
    """204; the note is erased. Raises NotFound, Forbidden."""
    number, note_id = _keys(call)
    await _read(call, number, note_id)
    await call.perform(delete_note, GlobalId("not", note_id))
    return Reply(status=204)


def _add(work: Work, actor: Actor, number: int, text: str, idempotency_key: str | None) -> int:
    actor.require_writing(NAME)
    ref = service.conversation_ref(work, actor, number)
    return add_note(work, actor, ref, text, idempotency_key=idempotency_key).note


async def _read(call: Call, number: int, note_id: int) -> answers.Note:
    found = await call.read(reading.GET_NOTE, conversation_id=number, id=note_id)
    if found is None:
        raise missing("note", note_id)
    return reading.note(found, number)


def _keys(call: Call) -> tuple[int, int]:
    return conversation_key(call), key(call, "note_id", "note")


CONVERSATION = "/third-party/v1/conversation"

_OF_NOTE = (CONVERSATION_ID, key_in_path("note_id", "The note."))
_TAGS = ("conversations",)
_THE_NOTE = Answer(200, "The note.", answers.Data[answers.Note])
_NOTE_NOW = Answer(200, "The note as it is now.", answers.Note)


def _operations(base: str, of: str) -> tuple[Operation, ...]:
    notes, one = f"{base}/{{id}}/notes", f"{base}/{{id}}/notes/{{note_id}}"
    return (
        Operation(
            "GET",
            notes,
            _listing(base),
            About(
                f"list{of}Notes",
                "List the notes of a conversation, the newest first.",
                tags=_TAGS,
                parameters=(CONVERSATION_ID, *paging.PARAMETERS),
                answer=Answer(200, "A page of notes.", answers.Page[answers.Note]),
                refuses=LISTS,
            ),
        ),
        Operation(
            "POST",
            notes,
            create_note,
            About(
                f"create{of}Note",
                "Add a note to a conversation.",
                tags=_TAGS,
                parameters=(CONVERSATION_ID,),
                body=sent(NewNote),
                answer=_NOTE_NOW,
                refuses=WRITES,
            ),
        ),
        Operation(
            "GET",
            one,
            get_note,
            About(f"get{of}Note", "Show a note.", tags=_TAGS, parameters=_OF_NOTE, answer=_THE_NOTE, refuses=READS),
        ),
        Operation(
            "PATCH",
            one,
            update_note,
            About(
                f"update{of}Note",
                "Update a note.",
                tags=_TAGS,
                parameters=_OF_NOTE,
                body=sent(NoteUpdate),
                answer=_NOTE_NOW,
                refuses=WRITES,
            ),
        ),
        Operation(
            "DELETE",
            one,
            remove_note,
            About(
                f"delete{of}Note",
                "Delete a note.",
                tags=_TAGS,
                parameters=_OF_NOTE,
                answer=Answer(204, "It is gone."),
                refuses=WRITES,
            ),
        ),
    )


# The contract's own paths say `conversation` here, and only here; the plural is what clients expect.
OPERATIONS = (*_operations(CONVERSATION, ""), *_operations(CONVERSATIONS, "Conversation"))
