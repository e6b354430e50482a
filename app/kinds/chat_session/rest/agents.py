"""The agent calls of the contract: one POST path each."""

from collections.abc import Mapping
from typing import Any, cast

from app.core.errors import NotFound
from app.core.numbers import LARGEST_INT
from app.kinds.chat_session.rest import bodies, handing
from app.kinds.chat_session.rest.answers import SELECT, body_of, selected, taken, wire_of
from app.kinds.chat_session.rest.bodies import ChatSessionInput, OfChat
from app.kinds.chat_session.rest.messages import (
    MESSAGE_LIST,
    NEW_MESSAGE,
    TRANSCRIPT,
    added,
    messages_after,
    transcript,
)
from app.kinds.chat_session.rest.reading import MINE
from app.kinds.chat_session.rest.sessions import NULL, THE_CHAT_NOW, changed, created, entity, on_chat, the_chat
from app.kinds.chat_session.rest.shapes import ChatSessionEntity
from app.kinds.chat_session.rest.wire import blank
from app.kinds.chat_session.service.sessions import delete_chat_session, update_chat_session
from app.rest import About, Answer, Call, Operation, Reply, Whole
from app.rest.contract import Handler


async def get_entity(call: Call) -> Reply:
    """The chat that the query names; null when the caller sees none. Raises BadRequest, InvalidInput."""
    number = await _queried(call)
    try:
        return Reply(body=await entity(call, number))
    except NotFound:
        return Reply(body=NULL)


async def save_entity(call: Call) -> Reply:
    """The chat with the fields of the body; a new one for a number below 1. Raises NotFound, and what making or
    changing a chat raises."""
    body = await body_of(call)
    number = bodies.SavedChat.read(body).chat_session_id
    if number < 1:
        return Reply(body=await created(call, body))
    # What a default entity has in these two stands for nothing.
    said = {
        name: value
        for name, value in body.items()
        if not (name == "topicid" and value in (None, 0)) and not (name == "status" and value in (None, "Invalid"))
    }
    await call.perform(on_chat, number, update_chat_session, ChatSessionInput.read(said).changes(whole=False))
    return Reply(body=await changed(call, number))


async def create_default(call: Call) -> Reply:
    """A chat that is not stored, with the defaults of a new one."""
    await body_of(call, empty=True)
    return Reply(body=selected(call, blank(call.actor)))


async def create_for_topic(call: Call) -> Reply:
    """The new chat of the topic in the body, with its session key. Raises NotFound, Forbidden."""
    topic = bodies.OfTopic.read(await body_of(call)).chat_topic_id
    return Reply(body=await created(call, {"topicid": topic}))


async def delete_entity(call: Call) -> Reply:
    """204; the chat that the query names is marked as deleted. Raises NotFound, Forbidden."""
    await call.perform(on_chat, await _queried(call), delete_chat_session)
    return Reply(status=204)


async def list_for_user(call: Call) -> Reply:
    """The chats that are not over in the caller's topics."""
    await body_of(call, empty=True)
    found, wire = await call.read(MINE), wire_of(call)
    return Reply(body=await call.written(found["chats"], lambda each: selected(call, wire.entity(each))))


async def pick_up_first(call: Call) -> Reply:
    """The chat that waited longest, now the caller's; null when none waits. Raises Forbidden."""
    await body_of(call, empty=True)
    return Reply(body=await handing.first_picked_up(call))


async def pick_up(call: Call) -> Reply:
    """The chat that the body names, now the caller's; null when it does not wait. Raises NotFound, Forbidden."""
    return Reply(body=await handing.picked_up(call, await _number(call)))


async def transfer(call: Call) -> Reply:
    """The chat, offered to the user whom the body names. Raises what `handing.transferred` raises."""
    body = bodies.Transfer.read(await body_of(call))
    return Reply(body=await handing.transferred(call, body.chat_session_id, body.to_associate))


async def accept(call: Call) -> Reply:
    """The chat, taken over if it was offered to the caller. Raises NotFound, Forbidden."""
    return Reply(body=await handing.accepted(call, await _number(call)))


async def reject(call: Call) -> Reply:
    """The chat, left with its holder. Raises NotFound, Forbidden."""
    return Reply(body=await handing.rejected(call, await _number(call)))


async def reset(call: Call) -> Reply:
    """The chat, back in its queue. Raises what `handing.was_reset` raises."""
    return Reply(body=await handing.was_reset(call, await _number(call)))


async def get_messages(call: Call) -> Reply:
    """The chat's messages after the one that the body names, 1,000 at most. Raises NotFound, Forbidden."""
    body = bodies.MessagesAfter.read(await body_of(call))
    return Reply(body=await messages_after(call, body.chat_session_id, body.after))


async def add_message(call: Call) -> Reply:
    """The message of the body, added to the chat. Raises what `added` raises."""
    body = bodies.AddedMessage.read(await body_of(call))
    # It is read when the chat is found.
    message = cast("Mapping[str, Any]", body.message)
    return Reply(body=await added(call, body.chat_session_id, message))


async def get_transcript(call: Call) -> Reply:
    """What was said in the chat, as one text with a line for each message. Raises NotFound, Forbidden."""
    body = bodies.Transcription.read(await body_of(call))
    return Reply(body=await transcript(call, body.chat_session_id, html=body.html))


async def _queried(call: Call) -> int:
    """The number of the chat that the query names; the client sends null as the body, which says nothing."""
    await body_of(call, empty=True)
    return bodies.OfEntity.read(dict(call.query)).chat_session_entity_id


async def _number(call: Call) -> int:
    return OfChat.read(await body_of(call)).chat_session_id


def _entity_of(name: str) -> Whole:
    return Whole(name, "The number of the chat.", required=True, least=0, most=LARGEST_INT)


_NOTHING = taken(dict[str, Any] | None, required=False)


def _called(name: str, handler: Handler, summary: str, answer: Answer, **more: Any) -> Operation:
    """An operation by its name in the contract; nothing in its body is needed where none is given."""
    about = About(f"agent{name}", summary, answer=answer, **{"parameters": (SELECT,), "body": _NOTHING, **more})
    return Operation("POST", f"/api/v1/Agents/Chat/{name}", handler, about)


AGENTS = (
    _called(
        "GetChatSessionEntity",
        get_entity,
        "The chat; null when there is none.",
        handing.MAYBE,
        parameters=(_entity_of("chatSessionEntityId"), SELECT),
    ),
    _called(
        "SaveChatSessionEntity",
        save_entity,
        "The chat with the given fields changed, or a new one.",
        THE_CHAT_NOW,
        body=taken(ChatSessionInput),
        refuses=(404, 409),
    ),
    _called("CreateDefaultChatSessionEntity", create_default, "A blank chat.", the_chat("A blank chat.")),
    _called(
        "CreateChatSessionForTopic",
        create_for_topic,
        "The new chat, with its session key this once.",
        the_chat("The new chat."),
        body=taken(bodies.OfTopic),
        refuses=(404,),
    ),
    _called(
        "DeleteChatSessionEntity",
        delete_entity,
        "The chat is marked as deleted.",
        Answer(204, "It is marked."),
        parameters=(_entity_of("ChatSessionEntityId"),),
        refuses=(404, 409),
    ),
    _called(
        "ChatSessionsForUser",
        list_for_user,
        "The chats that go on in the topics of the caller.",
        Answer(200, "The chats.", list[ChatSessionEntity]),
    ),
    _called(
        "PickUpFirstChatSession",
        pick_up_first,
        "The chat that waited first, now the caller's; null when none does.",
        handing.MAYBE,
    ),
    _called(
        "PickUpChatSession",
        pick_up,
        "The chat, now the caller's; null when it does not wait.",
        handing.MAYBE,
        body=taken(OfChat),
        refuses=(404,),
    ),
    _called(
        "TransferChatSession",
        transfer,
        "The chat, offered to the user if it is the caller's.",
        THE_CHAT_NOW,
        body=taken(bodies.Transfer),
        refuses=(404, 409),
    ),
    _called(
        "AcceptChatSessionTransfer",
        accept,
        "The chat, taken over if it was offered to the caller.",
        THE_CHAT_NOW,
        body=taken(OfChat),
        refuses=(404,),
    ),
    _called(
        "RejectChatSessionTransfer",
        reject,
        "The chat, left with who has it.",
        THE_CHAT_NOW,
        body=taken(OfChat),
        refuses=(404,),
    ),
    _called(
        "ResetChatSession",
        reset,
        "The chat, back in its queue.",
        THE_CHAT_NOW,
        body=taken(OfChat),
        refuses=(404, 409),
    ),
    _called(
        "GetChatMessages",
        get_messages,
        "The chat's messages, the oldest first, 1,000 at most.",
        MESSAGE_LIST,
        body=taken(bodies.MessagesAfter),
        refuses=(404,),
    ),
    _called(
        "AddChatMessage",
        add_message,
        "The new message.",
        NEW_MESSAGE,
        body=taken(bodies.AddedMessage),
        refuses=(404, 409),
    ),
    _called(
        "GetChatTranscript",
        get_transcript,
        "What was said, a line for each message.",
        TRANSCRIPT,
        parameters=(),
        body=taken(bodies.Transcription),
        refuses=(404,),
    ),
)
