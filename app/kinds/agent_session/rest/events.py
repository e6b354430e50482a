"""The events of a session: what was said in it."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.errors import InvalidInput, NotFound
from app.core.ids import GlobalId, require_id
from app.interactions.service.deliveries import delete_message
from app.kinds.agent_session import service
from app.kinds.agent_session.rest import reading
from app.kinds.agent_session.rest.agents import page, page_metadata
from app.kinds.agent_session.rest.bodies import text, unsupported
from app.kinds.agent_session.rest.sessions import keys_of, no_session
from app.rest import Call, Operation, Reply
from app.rest.contract import Handler


async def list_events(call: Call) -> Reply:
    keys = keys_of(call)
    found = await call.read(
        reading.EVENTS,
        agent_key=keys.agent_key,
        agent_session_key=keys.agent_session_key,
        include_hidden=call.query.flag("include_hidden"),
        **page(call),
    )
    if found is None:
        raise await no_session(call)
    events = await call.written(found["events"], reading.event)
    return Reply(body={"events": events, "metadata": page_metadata(found)})


async def get_event(call: Call) -> Reply:
    return Reply(body=reading.event(await _event(call)))


async def delete_event(call: Call) -> Reply:
    await call.perform(delete_message, _ref(await _event(call)))
    return Reply(status=204)


def _hiding(hidden: bool) -> Handler:
    async def hide(call: Call) -> Reply:
        await call.perform(service.hide_event, _ref(await _event(call)), hidden=hidden)
        return await get_event(call)

    return hide


async def create_event(call: Call) -> Reply:
    body = await call.json_object()
    unsupported(body, "stream_response")
    kind = body.get("type", "input_message")
    if kind not in ("input_message", "agent_output"):
        raise InvalidInput("type is input_message or agent_output.", path=("type",))
    posted = await call.perform(
        service.post_event,
        keys_of(call),
        _inputs(body) if kind == "input_message" else [_output(body)],
        by_agent=kind == "agent_output",
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


def _inputs(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    given = body.get("messages")
    if not isinstance(given, list) or not given:
        raise InvalidInput("messages has to be a list of inputs.", path=("messages",))
    contents = []
    for place, each in enumerate(given):
        if not isinstance(each, dict) or each.get("type", "text") != "text":
            raise InvalidInput("An input is of type text.", path=("messages", place))
        if not isinstance(each.get("content"), str):
            raise InvalidInput("An input has a content.", path=("messages", place, "content"))
        contents.append({"type": "text", "content": each["content"]})
    return contents


def _output(body: Mapping[str, Any]) -> Mapping[str, Any]:
    content = text(body, "content")
    if content is None:
        raise InvalidInput("An output has a content.", path=("content",))
    return {"type": "text", "content": content}


_EVENTS = "/v2/agents/{agent_key}/sessions/{session_key}/events"
_EVENT = f"{_EVENTS}/{{event_id}}"

EVENTS = (
    Operation("GET", _EVENTS, list_events),
    Operation("POST", _EVENTS, create_event),
    Operation("GET", _EVENT, get_event),
    Operation("DELETE", _EVENT, delete_event),
    Operation("POST", f"{_EVENT}/hide", _hiding(True)),
    Operation("POST", f"{_EVENT}/unhide", _hiding(False)),
)
