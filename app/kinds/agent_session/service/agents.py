"""Commands on AI agents."""

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from app.core.actor import Actor
from app.core.errors import AlreadyExists, Conflict, InvalidInput, NotFound, NotSupported, require_version
from app.core.events import Event
from app.core.ids import require_id
from app.directory.model.checks import checked
from app.kinds.agent_session import model
from app.kinds.agent_session.events import AiAgentCreated, AiAgentDeleted, AiAgentUpdated
from app.kinds.agent_session.model import AGENT_CHECKS, AiAgent, AiAgentChanges
from app.kinds.agent_session.model.agent import key as checked_key
from app.kinds.agent_session.repository import AiAgentRepository
from app.storage.idempotency import once

if TYPE_CHECKING:
    from app.storage.work import Work

PREFIX = "aia"
WRITE = f"{model.NAME}:write"

_DERIVED = frozenset({"version", "updated_at"})


def create_agent(
    work: "Work",
    actor: Actor,
    given: AiAgentChanges,
    *,
    agent_key: str | None = None,
    idempotency_key: str | None = None,
) -> AiAgent:
    """Create an agent. Its key is made when none is given. A name is required.

    Raises Forbidden, InvalidInput, TooLong, AlreadyExists for a key that is taken, KeyReused."""
    actor.require(WRITE)
    agents = work.use(AiAgentRepository)
    if agent_key is not None:
        agent_key = checked_key(agent_key, ("agent_key",))

    def make() -> int:
        values = checked(given, AGENT_CHECKS)
        if "name" not in values:
            raise InvalidInput("An AI agent needs a name.", path=("name",))
        key = agent_key or work.ids.key("agt")
        if agents.get_by_key(key) is not None:
            raise AlreadyExists("Another AI agent has this key.", path=("agent_key",))
        stored = agents.add(AiAgent(id=0, agent_key=key, created_at=work.now, updated_at=work.now, **values))
        _tell(work, actor, stored, AiAgentCreated(ai_agent_id=stored.id))
        return stored.id

    request = ["createAiAgent", agent_key, given]
    found = agents.get(once(work, actor, idempotency_key, request, make))
    if found is None:
        raise NotFound("What this request created has been deleted.", path=("idempotency_key",))
    return found


def update_agent(
    work: "Work",
    actor: Actor,
    changes: AiAgentChanges,
    *,
    ref: str | None = None,
    agent_key: str | None = None,
    if_version: int | None = None,
) -> AiAgent:
    """Change the agent with this id, or with this key. Exactly one of them is given.

    Raises Forbidden, NotFound, InvalidInput, TooLong, VersionConflict, NotSupported for an agent of a connected
    system."""
    before = _agent(work, actor, ref, agent_key, if_version)
    if before.connection_id is not None:
        raise NotSupported("This AI agent belongs to a connected system. Change it there.", path=("id",))
    after = replace(before, **checked(changes, AGENT_CHECKS))
    if after == before:
        return before
    after = replace(after, version=before.version + 1, updated_at=work.now)
    work.use(AiAgentRepository).save(before, after)
    changed = [field.name for field in fields(after) if getattr(after, field.name) != getattr(before, field.name)]
    names = [name for name in changed if name not in _DERIVED]
    _tell(work, actor, after, AiAgentUpdated(ai_agent_id=after.id, changed=names))
    return after


def delete_agent(
    work: "Work",
    actor: Actor,
    *,
    ref: str | None = None,
    agent_key: str | None = None,
    if_version: int | None = None,
) -> AiAgent:
    """Delete an agent without sessions. Returns what it was.

    Raises Forbidden, NotFound, VersionConflict, and Conflict while it has sessions: messages of customers are only
    deleted when somebody asks for that."""
    before = _agent(work, actor, ref, agent_key, if_version)
    agents = work.use(AiAgentRepository)
    if agents.has_sessions(before.id):
        raise Conflict("This AI agent still has sessions. Delete those first, or disable the agent.", path=("id",))
    agents.remove(before.id)
    _tell(work, actor, before, AiAgentDeleted(ai_agent_id=before.id))
    return before


def _agent(work: "Work", actor: Actor, ref: str | None, agent_key: str | None, if_version: int | None) -> AiAgent:
    actor.require(WRITE)
    agents = work.use(AiAgentRepository)
    if ref is not None and agent_key is None:
        found = agents.get(require_id(ref, PREFIX).number, for_update=True)
    elif ref is None and agent_key is not None:
        found = agents.get_by_key(agent_key, for_update=True)
    else:
        raise InvalidInput("Give either id or agentKey.", path=("id",))
    if found is None:
        raise NotFound("There is no such AI agent.", path=("id" if agent_key is None else "agent_key",))
    require_version(found.version, if_version)
    return found


def _tell(work: "Work", actor: Actor, agent: AiAgent, happened: Event) -> None:
    # With the kind, so that only clients that may read its sessions get the event.
    work.record(happened.record(kind=model.NAME, actor_id=actor.user_id or None, version=agent.version))
