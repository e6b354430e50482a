"""The calls of the contract's older half, by which its own client library speaks: one path each, all POST."""

from app.core.errors import InvalidInput, NotFound
from app.kinds.chat_session.model.session import KIND
from app.kinds.chat_session.rest import bodies, handing
from app.kinds.chat_session.rest.answers import body_of, selected, wire_of
from app.kinds.chat_session.rest.bodies import Body, any_case, int32
from app.kinds.chat_session.rest.messages import added, messages_after, transcript
from app.kinds.chat_session.rest.reading import MINE
from app.kinds.chat_session.rest.sessions import created, entity, on_chat
from app.kinds.chat_session.rest.wire import blank
from app.kinds.chat_session.service.sessions import delete_chat_session, update_chat_session
from app.rest import Call, Operation, Reply


async def get_entity(call: Call) -> Reply:
    number = await _queried(call)
    try:
        return Reply(body=await entity(call, number))
    except NotFound:
        return Reply(body=handing.NULL)


async def save_entity(call: Call) -> Reply:
    body = await body_of(call)
    number = int32(body.get("chatsessionid") or 0, "chat_session_id", least=-1)
    if number < 1:
        return Reply(body=await created(call, body))
    # What a default entity has in these two stands for nothing.
    said = {
        name: value
        for name, value in body.items()
        if not (name == "topicid" and value in (None, 0)) and not (name == "status" and value in (None, "Invalid"))
    }
    await call.perform(on_chat, number, update_chat_session, bodies.changes(said, whole=False))
    return Reply(body=await entity(call, number))


async def create_default(call: Call) -> Reply:
    await body_of(call, empty=True)
    call.actor.require(f"{KIND}:read")
    return Reply(body=selected(call, blank(call.actor)))


async def create_for_topic(call: Call) -> Reply:
    body = await body_of(call)
    return Reply(body=await created(call, {"topicid": body.get("chattopicid")}))


async def delete_entity(call: Call) -> Reply:
    await call.perform(on_chat, await _queried(call), delete_chat_session)
    return Reply(status=204)


async def list_for_user(call: Call) -> Reply:
    await body_of(call, empty=True)
    found, wire = await call.read(MINE), wire_of(call)
    return Reply(body=await call.written(found["chats"], lambda each: selected(call, wire.entity(each))))


async def pick_up_first(call: Call) -> Reply:
    await body_of(call, empty=True)
    return Reply(body=await handing.first_picked_up(call))


async def pick_up(call: Call) -> Reply:
    return Reply(body=await handing.picked_up(call, _number(await body_of(call))))


async def transfer(call: Call) -> Reply:
    body = await body_of(call)
    to_associate = body.get("toassociate")
    if not isinstance(to_associate, str | int) or isinstance(to_associate, bool):
        raise InvalidInput("to_associate has to be the name or number of an associate.", path=("to_associate",))
    return Reply(body=await handing.transferred(call, _number(body), str(to_associate)))


async def accept(call: Call) -> Reply:
    return Reply(body=await handing.accepted(call, _number(await body_of(call))))


async def reject(call: Call) -> Reply:
    return Reply(body=await handing.rejected(call, _number(await body_of(call))))


async def reset(call: Call) -> Reply:
    return Reply(body=await handing.was_reset(call, _number(await body_of(call))))


async def get_messages(call: Call) -> Reply:
    body = await body_of(call)
    return Reply(body=await messages_after(call, _number(body), int32(body.get("after") or 0, "after", least=-1)))


async def add_message(call: Call) -> Reply:
    body = await body_of(call)
    message = body.get("message")
    if not isinstance(message, dict):
        raise InvalidInput("message has to be a message.", path=("message",))
    return Reply(body=await added(call, _number(body), any_case(message)))


async def get_transcript(call: Call) -> Reply:
    body = await body_of(call)
    html = bodies.boolean(body.get("html"), "html")
    return Reply(body=await transcript(call, _number(body), html=html))


async def _queried(call: Call) -> int:
    """The number of the chat that the query names; the client sends null as the body, which says nothing."""
    await body_of(call, empty=True)
    given = any_case({name: call.query.get(name) for name in call.query})
    return int32(given.get("chatsessionentityid"), "chat_session_entity_id")


def _number(body: Body) -> int:
    return int32(body.get("chatsessionid"), "chat_session_id")


_HANDLERS = {
    "GetChatSessionEntity": get_entity,
    "SaveChatSessionEntity": save_entity,
    "CreateDefaultChatSessionEntity": create_default,
    "CreateChatSessionForTopic": create_for_topic,
    "DeleteChatSessionEntity": delete_entity,
    "ChatSessionsForUser": list_for_user,
    "PickUpFirstChatSession": pick_up_first,
    "PickUpChatSession": pick_up,
    "TransferChatSession": transfer,
    "AcceptChatSessionTransfer": accept,
    "RejectChatSessionTransfer": reject,
    "ResetChatSession": reset,
    "GetChatMessages": get_messages,
    "AddChatMessage": add_message,
    "GetChatTranscript": get_transcript,
}

AGENTS = tuple(Operation("POST", f"/api/v1/Agents/Chat/{name}", handler) for name, handler in _HANDLERS.items())
