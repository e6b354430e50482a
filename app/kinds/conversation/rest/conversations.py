"""Conversations: lists, changes, what is read of them."""

from collections.abc import Mapping
from typing import Any

from app.core.actor import Actor
from app.core.errors import InvalidInput
from app.directory.model.checks import flag, whole
from app.interactions.service.messages import mark_read
from app.kinds.conversation import service
from app.kinds.conversation.model.conversation import NAME, Status
from app.kinds.conversation.rest import paging, reading
from app.kinds.conversation.rest.values import LARGEST_NUMBER, conversation_key, missing, word
from app.kinds.conversation.service import ConversationChanges
from app.rest import Call, Operation, Reply
from app.storage.work import Work

_STATUSES = {word(status): status for status in Status}
_USER_ID = whole(1, LARGEST_NUMBER)


async def list_conversations(call: Call) -> Reply:
    wanted = paging.asked(call)
    found = await call.read(reading.LIST_CONVERSATIONS, **wanted.variables)
    shown = await call.written(found["conversations"], reading.conversation)
    return Reply(body=paging.page(call, CONVERSATIONS, wanted, shown, found["total"]))


async def get_conversation(call: Call) -> Reply:
    return Reply(body={"data": await _read(call)})


async def update_conversation(call: Call) -> Reply:
    number = conversation_key(call)
    await call.perform(_update, number, _changes(await call.json_object()))
    return Reply(body=await _read(call))


async def delete_conversation(call: Call) -> Reply:
    await call.perform(_delete, conversation_key(call))
    return Reply(status=204)


async def mark_conversation_read(call: Call) -> Reply:
    number = conversation_key(call)
    body = await call.json_object(empty=True)
    if "mark_external" in body:
        flag(body["mark_external"], ("mark_external",))
    await call.perform(_mark_read, number)
    return Reply(body={"data": await _read(call)})


async def restart_conversation(call: Call) -> Reply:
    number = conversation_key(call)
    message_id = await call.perform(_restart, number, call.idempotency_key)
    found = await call.read(reading.GET_MESSAGE, conversation_id=number, id=message_id)
    return Reply(body={"data": reading.message(found, number)})


def _update(work: Work, actor: Actor, number: int, changes: ConversationChanges) -> None:
    actor.require(f"{NAME}:write")
    service.update_conversation(work, actor, str(service.conversation_ref(work, actor, number)), changes)


def _delete(work: Work, actor: Actor, number: int) -> None:
    actor.require(f"{NAME}:write")
    service.delete_conversation(work, actor, str(service.conversation_ref(work, actor, number)))


def _mark_read(work: Work, actor: Actor, number: int) -> None:
    actor.require(f"{NAME}:write")
    mark_read(work, actor, service.conversation_ref(work, actor, number))


def _restart(work: Work, actor: Actor, number: int, idempotency_key: str | None) -> int:
    actor.require(f"{NAME}:write")
    ref = str(service.conversation_ref(work, actor, number))
    # The contract knows no claims.
    return service.restart_conversation(work, actor, ref, override=True, idempotency_key=idempotency_key).message


def _changes(body: Mapping[str, Any]) -> ConversationChanges:
    """What of a conversation can be written; what is absent stays. Raises InvalidInput."""
    found: ConversationChanges = {}
    if "status" in body:
        given = body["status"]
        if not isinstance(given, str) or given not in _STATUSES:
            raise InvalidInput(f"The status is one of {', '.join(map(str, _STATUSES))}.", path=("status",))
        found["status"] = _STATUSES[given]
    if "user_id" in body:
        found["user_id"] = None if body["user_id"] is None else _USER_ID(body["user_id"], ("user_id",))
    return found


async def _read(call: Call) -> dict[str, object]:
    number = conversation_key(call)
    found = await call.read(reading.GET_CONVERSATION, conversation_id=number)
    if found is None:
        raise missing("conversation", number)
    return reading.conversation(found)


CONVERSATIONS = "/third-party/v1/conversations"
_ONE = f"{CONVERSATIONS}/{{id}}"

OPERATIONS = (
    Operation("GET", CONVERSATIONS, list_conversations),
    Operation("GET", _ONE, get_conversation),
    Operation("PATCH", _ONE, update_conversation),
    Operation("DELETE", _ONE, delete_conversation),
    Operation("POST", f"{_ONE}/mark-read", mark_conversation_read),
    Operation("POST", f"{_ONE}/restart", restart_conversation),
)
