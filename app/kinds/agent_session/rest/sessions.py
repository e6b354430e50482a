"""The sessions of an AI agent."""

from app.core.errors import NotFound
from app.kinds.agent_session import service
from app.kinds.agent_session.rest import reading
from app.kinds.agent_session.rest.agents import no_agent, page, page_metadata
from app.kinds.agent_session.rest.bodies import SESSION_FIELDS, fields, text, unsupported
from app.rest import Call, Operation, Reply


async def list_sessions(call: Call) -> Reply:
    found = await call.read(
        reading.SESSIONS,
        agent_key=call.path["agent_key"],
        enabled=call.query.flag("enabled"),
        metadata_filter=call.query.get("metadata_filter"),
        **page(call),
    )
    if found is None:
        raise no_agent()
    sessions = await call.written(found["sessions"], reading.session)
    return Reply(body={"sessions": sessions, "metadata": page_metadata(found)})


async def get_session(call: Call) -> Reply:
    keys = keys_of(call)
    found = await call.read(reading.SESSION, agent_key=keys.agent_key, agent_session_key=keys.agent_session_key)
    if found is None:
        raise await no_session(call)
    return Reply(body=reading.session(found))


async def create_session(call: Call) -> Reply:
    body = await call.json_object(exact=True, empty=True)
    unsupported(body, "from_session")
    given = fields(body, SESSION_FIELDS)
    made = await call.perform(
        service.create,
        call.path["agent_key"],
        given,
        agent_session_key=text(body, "key"),
        idempotency_key=call.idempotency_key,
    )
    found = await call.read(reading.SESSION, agent_key=made.agent_key, agent_session_key=made.agent_session_key)
    return Reply(status=201, body=reading.session(found))


async def update_session(call: Call) -> Reply:
    body = await call.json_object(exact=True)
    await call.perform(service.update, keys_of(call), fields(body, SESSION_FIELDS))
    return await get_session(call)


async def delete_session(call: Call) -> Reply:
    await call.perform(service.delete, keys_of(call))
    return Reply(status=204)


def keys_of(call: Call) -> service.Keys:
    """Which session the path names."""
    return service.Keys(call.path["agent_key"], call.path["session_key"])


async def no_session(call: Call) -> NotFound:
    """The refusal for a path that names no session: it may be the agent that is not there."""
    if await call.read(reading.AGENT, agent_key=call.path["agent_key"]) is None:
        return no_agent()
    return NotFound("There is no session with these keys.", path=("session_key",))


_SESSION = "/v2/agents/{agent_key}/sessions/{session_key}"

SESSIONS = (
    Operation("GET", "/v2/agents/{agent_key}/sessions", list_sessions),
    Operation("POST", "/v2/agents/{agent_key}/sessions", create_session),
    Operation("GET", _SESSION, get_session),
    Operation("PATCH", _SESSION, update_session),
    Operation("DELETE", _SESSION, delete_session),
)
