"""The messages of a conversation, reactions to them and their errors."""

from collections.abc import Mapping
from typing import Any

from app.core.actor import Actor
from app.core.ids import GlobalId
from app.interactions.service.deliveries import set_reaction
from app.interactions.service.messages import Posted, send_message
from app.kinds.conversation import service
from app.kinds.conversation.model.conversation import NAME
from app.kinds.conversation.rest import answers, paging, reading, sending
from app.kinds.conversation.rest.bodies import Reaction
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
from app.storage.work import Work


async def list_messages(call: Call) -> Reply:
    """A page of the conversation's messages, the newest first. Raises NotFound, InvalidInput."""
    number, wanted = conversation_key(call), paging.asked(call)
    found = await call.read(reading.LIST_MESSAGES, conversation_id=number, **wanted.variables)
    if found is None:
        raise missing("conversation", number)
    shown = await call.written(found["messages"], lambda each: reading.message(each, number))
    return Reply(body=paging.page(call, f"{CONVERSATIONS}/{number}/messages", wanted, shown, found["total"]))


async def get_message(call: Call) -> Reply:
    """The message that the path names. Raises NotFound."""
    number, message_id = _keys(call)
    return Reply(body={"data": await _read(call, number, message_id)})


async def send(call: Call) -> Reply:
    """The message of the body, on its way to the customer. Raises NotFound, InvalidInput, and what `send_message`
    raises."""
    number = conversation_key(call)
    message = sending.read(await call.json_object())
    content, reference = sending.content_of(message), sending.reference_of(message)
    posted = await call.perform(_send, number, content, reference, call.idempotency_key)
    return Reply(body={"data": await _read(call, number, posted.message)})


async def react(call: Call) -> Reply:
    """The message with the reaction of the body, or without one for null. Raises NotFound, and what `set_reaction`
    raises."""
    number, message_id = _keys(call)
    reaction = (await call.given(Reaction)).reaction
    await _read(call, number, message_id)
    await call.perform(set_reaction, GlobalId("msg", message_id), reaction)
    return Reply(body={"data": await _read(call, number, message_id)})


async def get_error(call: Call) -> Reply:
    """The error that the path names, of its message. Raises NotFound."""
    number, message_id = _keys(call)
    error_id = key(call, "error_id", "error")
    found = await call.read(reading.GET_ERROR, conversation_id=number, message_id=message_id, id=error_id)
    if found is None:
        raise missing("error", error_id)
    return Reply(body={"data": reading.error(found["error"])})


def _send(
    work: Work,
    actor: Actor,
    number: int,
    content: Mapping[str, Any],
    reference: GlobalId | None,
    idempotency_key: str | None,
) -> Posted:
    actor.require_writing(NAME)
    ref = service.conversation_ref(work, actor, number)
    # The contract knows no claims.
    return send_message(work, actor, ref, content, reference=reference, override=True, idempotency_key=idempotency_key)


async def _read(call: Call, number: int, message_id: int) -> dict[str, object]:
    found = await call.read(reading.GET_MESSAGE, conversation_id=number, id=message_id)
    if found is None:
        raise missing("message", message_id)
    return reading.message(found, number)


def _keys(call: Call) -> tuple[int, int]:
    return conversation_key(call), key(call, "message_id", "message")


_MESSAGES = f"{CONVERSATIONS}/{{id}}/messages"
_ONE = f"{_MESSAGES}/{{message_id}}"

_MESSAGE_ID = key_in_path("message_id", "The message.")
_OF_MESSAGE = (CONVERSATION_ID, _MESSAGE_ID)
_TAGS = ("messages",)
_THE_MESSAGE = Answer(200, "The message.", answers.Data[answers.Message])

OPERATIONS = (
    Operation(
        "GET",
        _MESSAGES,
        list_messages,
        About(
            "listMessages",
            "List messages, the newest first.",
            tags=_TAGS,
            parameters=(CONVERSATION_ID, *paging.PARAMETERS),
            answer=Answer(200, "A page of messages.", answers.Page[answers.Message]),
            refuses=LISTS,
        ),
    ),
    Operation(
        "POST",
        _MESSAGES,
        send,
        About(
            "sendMessage",
            "Add a message from the agent to a conversation.",
            tags=_TAGS,
            parameters=(CONVERSATION_ID,),
            body=sent(sending.SENT),
            answer=_THE_MESSAGE,
            refuses=WRITES,
        ),
    ),
    Operation(
        "GET",
        _ONE,
        get_message,
        About("getMessage", "Show a message.", tags=_TAGS, parameters=_OF_MESSAGE, answer=_THE_MESSAGE, refuses=READS),
    ),
    Operation(
        "POST",
        f"{_ONE}/set-reaction",
        react,
        About(
            "setReaction",
            "Set or take away the reaction of the agent.",
            tags=_TAGS,
            parameters=_OF_MESSAGE,
            body=sent(Reaction),
            answer=_THE_MESSAGE,
            refuses=WRITES,
        ),
    ),
    Operation(
        "GET",
        f"{_ONE}/errors/{{error_id}}",
        get_error,
        About(
            "getMessageError",
            "Show an error of a message.",
            tags=_TAGS,
            parameters=(*_OF_MESSAGE, key_in_path("error_id", "The error.")),
            answer=Answer(200, "The error.", answers.Data[answers.MessageError]),
            refuses=READS,
        ),
    ),
)
