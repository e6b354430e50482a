"""The events of a session: its messages."""

from collections.abc import Mapping
from typing import Any

from app.core.errors import NotFound
from app.core.ids import GlobalId, require_id
from app.interactions.service.deliveries import delete_message
from app.kinds.agent_session import service
from app.kinds.agent_session.rest import answers, bodies, reading
from app.kinds.agent_session.rest.agents import LIMIT, PAGE_KEY, page, page_metadata
from app.kinds.agent_session.rest.sessions import OF_SESSION, SESSION_OF_AGENT, keys_of, no_session
from app.rest import IDEMPOTENCY_KEY, About, Answer, Call, Flag, Operation, Reply, in_path, sent
from app.rest.contract import Handler


async def list_events(call: Call) -> Reply:
    """A page of the session's events, the oldest first. Raises NotFound for agent or session, InvalidInput."""
    keys = keys_of(call)
    found = await call.read(
        reading.EVENTS,
        agent_key=keys.agent_key,
        agent_session_key=keys.agent_session_key,
        include_hidden=_INCLUDE_HIDDEN.read(call.query),
        **page(call),
    )
    if found is None:
        raise await no_session(call)
    events = await call.written(found["events"], reading.event)
    return Reply(body={"events": events, "metadata": page_metadata(found)})


async def get_event(call: Call) -> Reply:
    """The event that the path names. Raises NotFound, also for one of another session."""
    return Reply(body=reading.event(await _event(call)))


async def delete_event(call: Call) -> Reply:
    """204; the event is deleted. Raises NotFound, and what `delete_message` raises."""
    await call.perform(delete_message, _ref(await _event(call)))
    return Reply(status=204)


def _hiding(hidden: bool) -> Handler:
    async def hide(call: Call) -> Reply:
        await call.perform(service.hide_event, _ref(await _event(call)), hidden=hidden)
        return await get_event(call)

    return hide


async def create_event(call: Call) -> Reply:
    """The event of the new message, with 201: the customer's, or the agent's for `agent_output`. Raises InvalidInput,
    and what `post_event` raises."""
    body = await call.json_object()
    by_agent = bodies.NewEvent.read(body).type == "agent_output"
    posted = await call.perform(
        service.post_event,
        keys_of(call),
        (bodies.NewAgentOutput if by_agent else bodies.NewInputMessage).read(body).contents,
        by_agent=by_agent,
        idempotency_key=call.idempotency_key,
    )
    found = await call.read(reading.POSTED, id=f"msg_{posted.message}")
    return Reply(status=201, body={"events": [reading.event(found)], "session_key": call.path["session_key"]})


async def _event(call: Call) -> Mapping[str, Any]:
    keys = keys_of(call)
    found: Mapping[str, Any] | None = await call.read(
        reading.EVENT,
        agent_key=keys.agent_key,
        message_key=call.path["event_id"].removeprefix(reading.EVENT_PREFIX),
    )
    inside = None if found is None else found["interaction"]
    if found is None or inside != {"agentKey": keys.agent_key, "agentSessionKey": keys.agent_session_key}:
        raise NotFound("There is no event with this id in this session.", path=("event_id",))
    return found


def _ref(found: Mapping[str, Any]) -> GlobalId:
    return require_id(found["id"], "msg")


_INCLUDE_HIDDEN = Flag("include_hidden", "Whether hidden events are listed too.", default=False)
_OF_EVENT = (*OF_SESSION, in_path("event_id", "The event's id."))
_EVENTS = f"{SESSION_OF_AGENT}/events"
_EVENT = f"{_EVENTS}/{{event_id}}"
_THE_EVENT = Answer(200, "The event.", answers.Event)

EVENTS = (
    Operation(
        "GET",
        _EVENTS,
        list_events,
        About(
            "listAgentEvents",
            "The session's events, the oldest first.",
            parameters=(*OF_SESSION, _INCLUDE_HIDDEN, LIMIT, PAGE_KEY),
            answer=Answer(200, "A page of events.", answers.EventPage),
            refuses=(404,),
        ),
    ),
    Operation(
        "POST",
        _EVENTS,
        create_event,
        About(
            "createAgentEvent",
            "Say something in the session, or answer in its agent's name.",
            parameters=(*OF_SESSION, IDEMPOTENCY_KEY),
            body=sent(bodies.NewInputMessage | bodies.NewAgentOutput),
            answer=Answer(201, "What was said.", answers.Posted),
            refuses=(404,),
        ),
    ),
    Operation(
        "GET",
        _EVENT,
        get_event,
        About("getAgentEvent", "An event.", parameters=_OF_EVENT, answer=_THE_EVENT, refuses=(404,)),
    ),
    Operation(
        "DELETE",
        _EVENT,
        delete_event,
        About(
            "deleteAgentEvent",
            "Delete an event.",
            parameters=_OF_EVENT,
            answer=Answer(204, "It is gone."),
            refuses=(404,),
        ),
    ),
    Operation(
        "POST",
        f"{_EVENT}/hide",
        _hiding(True),
        About(
            "hideAgentEvent",
            "Hide an event from the agent.",
            parameters=_OF_EVENT,
            answer=_THE_EVENT,
            refuses=(404,),
        ),
    ),
    Operation(
        "POST",
        f"{_EVENT}/unhide",
        _hiding(False),
        About(
            "unhideAgentEvent",
            "Hide an event from the agent no longer.",
            parameters=_OF_EVENT,
            answer=_THE_EVENT,
            refuses=(404,),
        ),
    ),
)
