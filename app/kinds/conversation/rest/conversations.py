"""Conversations: lists, changes, what is read of them."""

from app.core.actor import Actor
from app.interactions.service.messages import mark_read
from app.kinds.conversation import service
from app.kinds.conversation.model.conversation import NAME
from app.kinds.conversation.rest import answers, paging, reading
from app.kinds.conversation.rest.bodies import ConversationUpdate, Reading
from app.kinds.conversation.rest.values import CONVERSATION_ID, LISTS, READS, WRITES, conversation_key, missing
from app.kinds.conversation.service import ConversationChanges
from app.rest import About, Answer, Call, Operation, Reply, sent
from app.storage.work import Work


async def list_conversations(call: Call) -> Reply:
    """A page of the conversations, the latest active first. Raises InvalidInput."""
    wanted = paging.asked(call)
    found = await call.read(reading.LIST_CONVERSATIONS, **wanted.variables)
    shown = await call.written(found["conversations"], reading.conversation)
    return Reply(body=paging.page(call, CONVERSATIONS, wanted, shown, found["total"]))


async def get_conversation(call: Call) -> Reply:
    """The conversation that the path names. Raises NotFound."""
    return Reply(body={"data": await _read(call)})


async def update_conversation(call: Call) -> Reply:
    """The changed conversation; 204 when the caller does not see it afterwards. Raises NotFound, and what
    `update_conversation` of the service raises."""
    number = conversation_key(call)
    await call.perform(_update, number, (await call.given(ConversationUpdate)).changes())
    found = await call.read(reading.GET_CONVERSATION, conversation_id=number)
    # Who gives it to somebody else may not see it any more.
    return Reply(status=204) if found is None else Reply(body=reading.conversation(found))


async def delete_conversation(call: Call) -> Reply:
    """204; the conversation is erased with its messages and notes. Raises NotFound, Forbidden."""
    await call.perform(_delete, conversation_key(call))
    return Reply(status=204)


async def mark_conversation_read(call: Call) -> Reply:
    """The conversation with all its messages read. Raises NotFound, Forbidden."""
    number = conversation_key(call)
    await call.given(Reading, empty=True)
    await call.perform(_mark_read, number)
    return Reply(body={"data": await _read(call)})


async def restart_conversation(call: Call) -> Reply:
    """The template message that restarts an expired conversation. Raises what `restart_conversation` of the service
    raises."""
    number = conversation_key(call)
    message_id = await call.perform(_restart, number, call.idempotency_key)
    found = await call.read(reading.GET_MESSAGE, conversation_id=number, id=message_id)
    return Reply(body={"data": reading.message(found, number)})


def _update(work: Work, actor: Actor, number: int, changes: ConversationChanges) -> None:
    actor.require_writing(NAME)
    service.update_conversation(work, actor, str(service.conversation_ref(work, actor, number)), changes)


def _delete(work: Work, actor: Actor, number: int) -> None:
    actor.require_writing(NAME)
    service.delete_conversation(work, actor, str(service.conversation_ref(work, actor, number)))


def _mark_read(work: Work, actor: Actor, number: int) -> None:
    actor.require_writing(NAME)
    mark_read(work, actor, service.conversation_ref(work, actor, number))


def _restart(work: Work, actor: Actor, number: int, idempotency_key: str | None) -> int:
    actor.require_writing(NAME)
    ref = str(service.conversation_ref(work, actor, number))
    # The contract knows no claims.
    return service.restart_conversation(work, actor, ref, override=True, idempotency_key=idempotency_key).message


async def _read(call: Call) -> dict[str, object]:
    number = conversation_key(call)
    found = await call.read(reading.GET_CONVERSATION, conversation_id=number)
    if found is None:
        raise missing("conversation", number)
    return reading.conversation(found)


CONVERSATIONS = "/third-party/v1/conversations"
_ONE = f"{CONVERSATIONS}/{{id}}"

_TAGS = ("conversations",)
_OF_CONVERSATION = (CONVERSATION_ID,)
_THE_CONVERSATION = Answer(200, "The conversation.", answers.Data[answers.Conversation])

OPERATIONS = (
    Operation(
        "GET",
        CONVERSATIONS,
        list_conversations,
        About(
            "listConversations",
            "List available conversations, the latest active first.",
            tags=_TAGS,
            parameters=paging.PARAMETERS,
            answer=Answer(200, "A page of conversations.", answers.Page[answers.Conversation]),
            refuses=LISTS,
        ),
    ),
    Operation(
        "GET",
        _ONE,
        get_conversation,
        About(
            "getConversation",
            "Show a conversation.",
            tags=_TAGS,
            parameters=_OF_CONVERSATION,
            answer=_THE_CONVERSATION,
            refuses=READS,
        ),
    ),
    Operation(
        "PATCH",
        _ONE,
        update_conversation,
        About(
            "updateConversation",
            "Update a conversation.",
            tags=_TAGS,
            parameters=_OF_CONVERSATION,
            body=sent(ConversationUpdate),
            answer=Answer(200, "The conversation as it is now.", answers.Conversation),
            otherwise=(Answer(204, "It is changed, and out of the caller's sight now."),),
            refuses=WRITES,
        ),
    ),
    Operation(
        "DELETE",
        _ONE,
        delete_conversation,
        About(
            "deleteConversation",
            "Delete a conversation with its messages and notes.",
            tags=_TAGS,
            parameters=_OF_CONVERSATION,
            answer=Answer(204, "It is gone."),
            refuses=WRITES,
        ),
    ),
    Operation(
        "POST",
        f"{_ONE}/mark-read",
        mark_conversation_read,
        About(
            "markConversationRead",
            "Mark all messages in a conversation as read.",
            tags=_TAGS,
            parameters=_OF_CONVERSATION,
            body=sent(Reading | None, required=False),
            answer=_THE_CONVERSATION,
            refuses=WRITES,
        ),
    ),
    Operation(
        "POST",
        f"{_ONE}/restart",
        restart_conversation,
        About(
            "restartConversation",
            "Restart an expired conversation on WhatsApp.",
            tags=_TAGS,
            parameters=_OF_CONVERSATION,
            answer=Answer(200, "The message that was sent.", answers.Data[answers.Message]),
            refuses=WRITES,
        ),
    ),
)
