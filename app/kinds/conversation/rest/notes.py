"""The notes of a conversation."""

from collections.abc import Mapping
from typing import Any

from app.core.actor import Actor
from app.core.errors import InvalidInput
from app.core.ids import GlobalId
from app.interactions.service.notes import add_note, delete_note, edit_note
from app.kinds.conversation import service
from app.kinds.conversation.model.conversation import NAME
from app.kinds.conversation.rest import paging, reading
from app.kinds.conversation.rest.conversations import CONVERSATIONS
from app.kinds.conversation.rest.values import conversation_key, key, missing
from app.rest import Call, Operation, Reply
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
    return Reply(body={"data": await _read(call, *_keys(call))})


async def create_note(call: Call) -> Reply:
    number = conversation_key(call)
    note_id = await call.perform(_add, number, _text(await call.json_object()), call.idempotency_key)
    return Reply(body=await _read(call, number, note_id))


async def update_note(call: Call) -> Reply:
    number, note_id = _keys(call)
    body = await call.json_object()
    call.actor.require(f"{NAME}:write")
    await _read(call, number, note_id)
    if "text" in body:
        await call.perform(edit_note, GlobalId("not", note_id), _text(body))
    return Reply(body=await _read(call, number, note_id))


async def remove_note(call: Call) -> Reply:
    number, note_id = _keys(call)
    await _read(call, number, note_id)
    await call.perform(delete_note, GlobalId("not", note_id))
    return Reply(status=204)


def _add(work: Work, actor: Actor, number: int, text: str, idempotency_key: str | None) -> int:
    actor.require(f"{NAME}:write")
    ref = service.conversation_ref(work, actor, number)
    return add_note(work, actor, ref, text, idempotency_key=idempotency_key).note


def _text(body: Mapping[str, Any]) -> str:
    given = body.get("text")
    if not isinstance(given, str):
        raise InvalidInput("This takes text.", path=("text",))
    return given


async def _read(call: Call, number: int, note_id: int) -> dict[str, object]:
    found = await call.read(reading.GET_NOTE, conversation_id=number, id=note_id)
    if found is None:
        raise missing("note", note_id)
    return reading.note(found, number)


def _keys(call: Call) -> tuple[int, int]:
    return conversation_key(call), key(call, "note_id", "note")


CONVERSATION = "/third-party/v1/conversation"

# The contract's own paths say `conversation` here, and only here; the plural is what clients expect.
OPERATIONS = tuple(
    Operation(method, f"{base}/{{id}}/notes{more}", handler)
    for base in (CONVERSATION, CONVERSATIONS)
    for method, more, handler in (
        ("GET", "", _listing(base)),
        ("POST", "", create_note),
        ("GET", "/{note_id}", get_note),
        ("PATCH", "/{note_id}", update_note),
        ("DELETE", "/{note_id}", remove_note),
    )
)
