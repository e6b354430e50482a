"""The sessions of an AI agent."""

from app.core.errors import NotFound
from app.kinds.agent_session import service
from app.kinds.agent_session.model.matching import LONGEST_PATTERN
from app.kinds.agent_session.rest import answers, bodies, reading
from app.kinds.agent_session.rest.agents import (
    AGENT_KEY,
    ENABLED,
    FILTER,
    LIMIT,
    PAGE_KEY,
    no_agent,
    page,
    page_metadata,
)
from app.rest import IDEMPOTENCY_KEY, About, Answer, Call, Operation, Reply, Text, in_path, sent

SESSION_KEY = in_path("session_key", "The session's key.")
OF_SESSION = (AGENT_KEY, SESSION_KEY)
_METADATA_FILTER = Text(
    "metadata_filter",
    "Conditions on metadata, such as `priority = 'urgent' and level >= 2`, or a JSON object of values.",
    most=LONGEST_PATTERN,
)


async def list_sessions(call: Call) -> Reply:
    """A page of the agent's sessions, the newest first. Raises NotFound for the agent, InvalidInput for a filter that
    cannot be read."""
    found = await call.read(
        reading.SESSIONS,
        agent_key=call.path["agent_key"],
        enabled=ENABLED.read(call.query),
        metadata_filter=_METADATA_FILTER.read(call.query),
        **page(call),
    )
    if found is None:
        raise no_agent()
    sessions = await call.written(found["sessions"], reading.session)
    return Reply(body={"sessions": sessions, "metadata": page_metadata(found)})


async def get_session(call: Call) -> Reply:
    """The session that the path names. Raises NotFound, for the agent where that is missing."""
    keys = keys_of(call)
    found = await call.read(reading.SESSION, agent_key=keys.agent_key, agent_session_key=keys.agent_session_key)
    if found is None:
        raise await no_session(call)
    return Reply(body=reading.session(found))


async def create_session(call: Call) -> Reply:
    """The new session, with 201; its key is the body's, or made up. Raises what `create` of the service raises."""
    body = await call.given(bodies.NewSession, exact=True, empty=True)
    made = await call.perform(
        service.create,
        call.path["agent_key"],
        body.given(),
        agent_session_key=body.key,
        idempotency_key=call.idempotency_key,
    )
    found = await call.read(reading.SESSION, agent_key=made.agent_key, agent_session_key=made.agent_session_key)
    return Reply(status=201, body=reading.session(found))


async def update_session(call: Call) -> Reply:
    """The session with the members of the body in place of its own; absent ones stay. Raises what `update` of the
    service raises."""
    body = await call.given(bodies.SessionFields, exact=True)
    await call.perform(service.update, keys_of(call), body.given())
    return await get_session(call)


async def delete_session(call: Call) -> Reply:
    """204; the session is erased with its events. Raises NotFound, Forbidden."""
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


SESSIONS_OF_AGENT = "/v2/agents/{agent_key}/sessions"
SESSION_OF_AGENT = f"{SESSIONS_OF_AGENT}/{{session_key}}"

SESSIONS = (
    Operation(
        "GET",
        SESSIONS_OF_AGENT,
        list_sessions,
        About(
            "listAgentSessions",
            "The agent's sessions, the newest first.",
            parameters=(AGENT_KEY, FILTER, _METADATA_FILTER, ENABLED, LIMIT, PAGE_KEY),
            answer=Answer(200, "A page of sessions.", answers.SessionPage),
            refuses=(404,),
        ),
    ),
    Operation(
        "POST",
        SESSIONS_OF_AGENT,
        create_session,
        About(
            "createAgentSession",
            "Open a session.",
            parameters=(AGENT_KEY, IDEMPOTENCY_KEY),
            body=sent(bodies.NewSession, required=False),
            answer=Answer(201, "The session.", answers.AgentSession),
            refuses=(404,),
        ),
    ),
    Operation(
        "GET",
        SESSION_OF_AGENT,
        get_session,
        About(
            "getAgentSession",
            "A session.",
            parameters=OF_SESSION,
            answer=Answer(200, "The session.", answers.AgentSession),
            refuses=(404,),
        ),
    ),
    Operation(
        "PATCH",
        SESSION_OF_AGENT,
        update_session,
        About(
            "updateAgentSession",
            "Change a session: an absent member stays; metadata is replaced whole.",
            parameters=OF_SESSION,
            body=sent(bodies.SessionFields),
            answer=Answer(200, "The session as it is now.", answers.AgentSession),
            refuses=(404,),
        ),
    ),
    Operation(
        "DELETE",
        SESSION_OF_AGENT,
        delete_session,
        About(
            "deleteAgentSession",
            "Delete a session with its events.",
            parameters=OF_SESSION,
            answer=Answer(204, "It is gone."),
            refuses=(404,),
        ),
    ),
)
