"""AI agents."""

from collections.abc import Mapping
from typing import Any

from app.core.errors import NotFound
from app.kinds.agent_session import service
from app.kinds.agent_session.model.matching import LONGEST_PATTERN
from app.kinds.agent_session.rest import answers, bodies, reading
from app.rest import IDEMPOTENCY_KEY, About, Answer, Call, Flag, Operation, Reply, Text, Whole, in_path, sent

AGENT_KEY = in_path("agent_key", "The agent's key.")
FILTER = Text(
    "filter", "An RE2 expression that has to match somewhere in the name or the description.", most=LONGEST_PATTERN
)
ENABLED = Flag("enabled", "Only those that are enabled, or only those that are not.")
LIMIT = Whole("limit", "How many at most.", least=1, most=100, default=10)
PAGE_KEY = Text("page_key", "Where the page begins: `metadata.page_key` of the page before.")


async def list_agents(call: Call) -> Reply:
    """A page of the agents that match. Raises InvalidInput for a parameter or a filter that cannot be read."""
    found = await call.read(reading.AGENTS, enabled=ENABLED.read(call.query), **page(call))
    agents = await call.written(found["agents"], reading.agent)
    return Reply(body={"agents": agents, "metadata": page_metadata(found)})


async def get_agent(call: Call) -> Reply:
    """The agent that the path names. Raises NotFound."""
    found = await call.read(reading.AGENT, agent_key=call.path["agent_key"])
    if found is None:
        raise no_agent()
    return Reply(body=reading.agent(found))


async def create_agent(call: Call) -> Reply:
    """The new agent, with 201. Raises InvalidInput, TooLong, AlreadyExists for a key that is taken, KeyReused."""
    body = await call.given(bodies.NewAgent, exact=True)
    made = await call.perform(
        service.create_agent,
        body.given(),
        agent_key=body.key,
        idempotency_key=call.idempotency_key,
    )
    found = await call.read(reading.AGENT, agent_key=made.agent_key)
    return Reply(status=201, body=reading.agent(found))


async def update_agent(call: Call) -> Reply:
    """The agent with the members of the body in place of its own; absent ones stay. Raises what `update_agent` of the
    service raises."""
    body = await call.given(bodies.AgentFields, exact=True)
    await call.perform(service.update_agent, body.given(), agent_key=call.path["agent_key"])
    return await get_agent(call)


async def replace_agent(call: Call) -> Reply:
    """The agent with all its fields from the body; absent ones get their default. Raises what `update_agent` of the
    service raises."""
    body = await call.given(bodies.AgentReplacement, exact=True)
    await call.perform(service.update_agent, body.whole(), agent_key=call.path["agent_key"])
    return await get_agent(call)


async def delete_agent(call: Call) -> Reply:
    """204; the agent is deleted. Raises NotFound, Forbidden, and Conflict while the agent has sessions."""
    await call.perform(service.delete_agent, agent_key=call.path["agent_key"])
    return Reply(status=204)


def page(call: Call) -> dict[str, object]:
    """The parameters that every list has."""
    return {
        "limit": LIMIT.read(call.query),
        "page_key": PAGE_KEY.read(call.query),
        "filter": FILTER.read(call.query),
    }


def page_metadata(found: Mapping[str, Any]) -> answers.ListMetadata:
    """The `metadata` of a list: where its next page begins, if there is one."""
    return {} if found["pageKey"] is None else {"page_key": found["pageKey"]}


def no_agent() -> NotFound:
    """The refusal for a path that names no agent."""
    return NotFound("There is no AI agent with this key.", path=("agent_key",))


_AGENT = "/v2/agents/{agent_key}"

_AGENT_NOW = Answer(200, "The agent as it is now.", answers.Agent)

AGENTS = (
    Operation(
        "GET",
        "/v2/agents",
        list_agents,
        About(
            "listAgents",
            "The agents, in the order in which they were made.",
            parameters=(FILTER, ENABLED, LIMIT, PAGE_KEY),
            answer=Answer(200, "A page of agents.", answers.AgentPage),
        ),
    ),
    Operation(
        "POST",
        "/v2/agents",
        create_agent,
        About(
            "createAgent",
            "Make an agent known.",
            parameters=(IDEMPOTENCY_KEY,),
            body=sent(bodies.NewAgent),
            answer=Answer(201, "The agent.", answers.Agent),
        ),
    ),
    Operation(
        "GET",
        _AGENT,
        get_agent,
        About(
            "getAgent",
            "An agent.",
            parameters=(AGENT_KEY,),
            answer=Answer(200, "The agent.", answers.Agent),
            refuses=(404,),
        ),
    ),
    Operation(
        "PATCH",
        _AGENT,
        update_agent,
        About(
            "updateAgent",
            "Change an agent: an absent member stays, null clears.",
            parameters=(AGENT_KEY,),
            body=sent(bodies.AgentFields),
            answer=_AGENT_NOW,
            refuses=(404,),
        ),
    ),
    Operation(
        "PUT",
        _AGENT,
        replace_agent,
        About(
            "replaceAgent",
            "Replace an agent: an absent member is as in a new one.",
            parameters=(AGENT_KEY,),
            body=sent(bodies.AgentReplacement),
            answer=_AGENT_NOW,
            refuses=(404,),
        ),
    ),
    Operation(
        "DELETE",
        _AGENT,
        delete_agent,
        About(
            "deleteAgent",
            "Delete an agent without sessions.",
            parameters=(AGENT_KEY,),
            answer=Answer(204, "It is gone."),
            refuses=(404,),
        ),
    ),
)
