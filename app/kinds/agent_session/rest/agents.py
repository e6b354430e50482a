"""AI agents."""

from app.core.errors import NotFound
from app.kinds.agent_session import service
from app.kinds.agent_session.rest import reading
from app.kinds.agent_session.rest.bodies import AGENT_FIELDS, fields, text
from app.rest import Call, Operation, Reply

LARGEST_PAGE = 100
DEFAULT_PAGE = 10


async def list_agents(call: Call) -> Reply:
    found = await call.read(reading.AGENTS, enabled=call.query.flag("enabled"), **page(call))
    agents = await call.written(found["agents"], reading.agent)
    return Reply(body={"agents": agents, "metadata": page_metadata(found)})


async def get_agent(call: Call) -> Reply:
    found = await call.read(reading.AGENT, agent_key=call.path["agent_key"])
    if found is None:
        raise no_agent()
    return Reply(body=reading.agent(found))


async def create_agent(call: Call) -> Reply:
    body = await call.json_object(exact=True)
    made = await call.perform(
        service.create_agent,
        fields(body, AGENT_FIELDS),
        agent_key=text(body, "key"),
        idempotency_key=call.idempotency_key,
    )
    found = await call.read(reading.AGENT, agent_key=made.agent_key)
    return Reply(status=201, body=reading.agent(found))


async def update_agent(call: Call) -> Reply:
    body = await call.json_object(exact=True)
    await call.perform(service.update_agent, fields(body, AGENT_FIELDS), agent_key=call.path["agent_key"])
    return await get_agent(call)


async def replace_agent(call: Call) -> Reply:
    body = await call.json_object(exact=True)
    # What is not given is as in a new agent; a name there has to be.
    whole = {**dict.fromkeys(AGENT_FIELDS), **fields(body, AGENT_FIELDS)}
    await call.perform(service.update_agent, whole, agent_key=call.path["agent_key"])  # type: ignore[arg-type]
    return await get_agent(call)


async def delete_agent(call: Call) -> Reply:
    await call.perform(service.delete_agent, agent_key=call.path["agent_key"])
    return Reply(status=204)


def page(call: Call) -> dict[str, object]:
    """The parameters that every list has."""
    limit = call.query.integer("limit", DEFAULT_PAGE, 1, LARGEST_PAGE)
    return {"limit": limit, "page_key": call.query.get("page_key"), "filter": call.query.get("filter")}


def page_metadata(found: dict[str, object]) -> dict[str, object]:
    """The `metadata` of a list: where its next page begins, if there is one."""
    return {} if found["pageKey"] is None else {"page_key": found["pageKey"]}


def no_agent() -> NotFound:
    return NotFound("There is no AI agent with this key.", path=("agent_key",))


_AGENT = "/v2/agents/{agent_key}"

AGENTS = (
    Operation("GET", "/v2/agents", list_agents),
    Operation("POST", "/v2/agents", create_agent),
    Operation("GET", _AGENT, get_agent),
    Operation("PATCH", _AGENT, update_agent),
    Operation("PUT", _AGENT, replace_agent),
    Operation("DELETE", _AGENT, delete_agent),
)
