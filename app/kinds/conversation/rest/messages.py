"""The messages of a conversation, reactions to them and their errors."""

from collections.abc import Mapping
from typing import Any

from app.core.actor import Actor
from app.core.errors import InvalidInput
from app.core.ids import GlobalId
from app.directory.model.checks import whole
from app.interactions.service.deliveries import set_reaction
from app.interactions.service.messages import Posted, send_message
from app.kinds.conversation import service
from app.kinds.conversation.model.conversation import NAME
from app.kinds.conversation.rest import paging, reading
from app.kinds.conversation.rest.contents import sent_content
from app.kinds.conversation.rest.conversations import CONVERSATIONS
from app.kinds.conversation.rest.values import conversation_key, key, missing
from app.rest import Call, Operation, Reply
from app.storage.work import Work

_MESSAGE_ID = whole(1, 2**63 - 1)


async def list_messages(call: Call) -> Reply:
    number, wanted = conversation_key(call), paging.asked(call)
    found = await call.read(reading.LIST_MESSAGES, conversation_id=number, **wanted.variables)
    if found is None:
        raise missing("conversation", number)
    shown = await call.written(found["messages"], lambda each: reading.message(each, number))
    return Reply(body=paging.page(call, f"{CONVERSATIONS}/{number}/messages", wanted, shown, found["total"]))


async def get_message(call: Call) -> Reply:
    number, message_id = _keys(call)
    return Reply(body={"data": await _read(call, number, message_id)})


async def send(call: Call) -> Reply:
    number = conversation_key(call)
    body = await call.json_object()
    content, reference = sent_content(body), _reference(body)
    posted = await call.perform(_send, number, content, reference, call.idempotency_key)
    return Reply(body={"data": await _read(call, number, posted.message)})


async def react(call: Call) -> Reply:
    number, message_id = _keys(call)
    body = await call.json_object()
    if "reaction" not in body:
        raise InvalidInput("This is required; null takes the reaction away.", path=("reaction",))
    reaction = body["reaction"]
    if reaction is not None and not isinstance(reaction, str):
        raise InvalidInput("A reaction is a single emoji.", path=("reaction",))
    await _read(call, number, message_id)
    await call.perform(set_reaction, GlobalId("msg", message_id), reaction)
    return Reply(body={"data": await _read(call, number, message_id)})


async def get_error(call: Call) -> Reply:
    number, message_id = _keys(call)
    error_id = key(call, "error_id", "error")
    found = await call.read(reading.GET_ERROR, conversation_id=number, message_id=message_id, id=error_id)
    if found is None:
        raise missing("error", error_id)
    return Reply(body={"data": reading.error(found)})


def _send(
    work: Work,
    actor: Actor,
    number: int,
    content: Mapping[str, Any],
    reference: GlobalId | None,
    idempotency_key: str | None,
) -> Posted:
    actor.require(f"{NAME}:write")
    ref = service.conversation_ref(work, actor, number)
    # The contract knows no claims.
    return send_message(work, actor, ref, content, reference=reference, override=True, idempotency_key=idempotency_key)


def _reference(body: Mapping[str, Any]) -> GlobalId | None:
    given = body.get("reference_id")
    return None if given is None else GlobalId("msg", _MESSAGE_ID(given, ("reference_id",)))


async def _read(call: Call, number: int, message_id: int) -> dict[str, object]:
    found = await call.read(reading.GET_MESSAGE, conversation_id=number, id=message_id)
    if found is None:
        raise missing("message", message_id)
    return reading.message(found, number)


def _keys(call: Call) -> tuple[int, int]:
    return conversation_key(call), key(call, "message_id", "message")


_MESSAGES = f"{CONVERSATIONS}/{{id}}/messages"
_ONE = f"{_MESSAGES}/{{message_id}}"

OPERATIONS = (
    Operation("GET", _MESSAGES, list_messages),
    Operation("POST", _MESSAGES, send),
    Operation("GET", _ONE, get_message),
    Operation("POST", f"{_ONE}/set-reaction", react),
    Operation("GET", f"{_ONE}/errors/{{error_id}}", get_error),
)
