"""The mutations of AI agents and their sessions."""

from typing import Any

import strawberry

from app.core.actor import Actor
from app.graph.context import Info
from app.graph.fields import mutation
from app.graph.inputs import changes
from app.kinds.agent_session import service
from app.kinds.agent_session.graphql.inputs import (
    AgentSessionPayload,
    AiAgentPayload,
    CreateAgentSessionInput,
    CreateAiAgentInput,
    DeleteAgentSessionInput,
    DeleteAgentSessionPayload,
    DeleteAiAgentInput,
    DeleteAiAgentPayload,
    UpdateAgentSessionInput,
    UpdateAiAgentInput,
)
from app.kinds.agent_session.model import AGENT_CHECKS, PREFIX, SESSION_CHECKS, AgentSession, AiAgent
from app.kinds.agent_session.model.agent import AiAgentChanges
from app.kinds.agent_session.model.session import AgentSessionChanges
from app.storage.work import Work

_AGENT_FIELDS = tuple(name for name in AGENT_CHECKS if name != "name")
_SESSION_FIELDS = (*SESSION_CHECKS, "secrets")


def update_session(
    work: Work, actor: Actor, ref: str | None, keys: dict[str, str | None], given: Any, if_version: int | None
) -> AgentSession:
    """Change a session that is named by its global id."""
    return service.update(work, actor, service.exactly_one(ref, keys), given, if_version=if_version)


def delete_session(
    work: Work, actor: Actor, ref: str | None, keys: dict[str, str | None], if_version: int | None
) -> AgentSession:
    """Delete a session that is named by its global id."""
    return service.delete(work, actor, service.exactly_one(ref, keys), if_version=if_version)


def _keys(given: UpdateAgentSessionInput | DeleteAgentSessionInput) -> dict[str, str | None]:
    return {"agent_key": given.agent_key, "agent_session_key": given.agent_session_key}


def _deleted_session(gone: AgentSession) -> dict[str, object]:
    return {"deleted_id": f"{PREFIX}_{gone.id}"}


def _deleted_agent(gone: AiAgent) -> dict[str, object]:
    return {"deleted_id": f"aia_{gone.id}"}


@strawberry.type
class AgentSessionMutation:
    @mutation(description="Open a session with an AI agent. Needs `agent_session:write`.", input="The session to open.")
    async def create_agent_session(self, info: Info, input: CreateAgentSessionInput) -> AgentSessionPayload:
        return await info.context.perform(
            input,
            "agent_session",
            service.create,
            input.agent_key,
            changes(AgentSessionChanges, input, *_SESSION_FIELDS),
            agent_session_key=input.agent_session_key,
            idempotency_key=input.idempotency_key,
        )

    @mutation(
        description="Change a session with an AI agent. Needs `agent_session:write`.",
        input="The session to change, and the fields to change.",
    )
    async def update_agent_session(self, info: Info, input: UpdateAgentSessionInput) -> AgentSessionPayload:
        return await info.context.perform(
            input,
            "agent_session",
            update_session,
            input.id,
            _keys(input),
            changes(AgentSessionChanges, input, *_SESSION_FIELDS),
            input.if_version,
        )

    @mutation(
        description="Delete a session with an AI agent, and its messages. Needs `agent_session:write`.",
        input="The session to delete.",
    )
    async def delete_agent_session(self, info: Info, input: DeleteAgentSessionInput) -> DeleteAgentSessionPayload:
        return await info.context.perform(
            input, _deleted_session, delete_session, input.id, _keys(input), input.if_version
        )


@strawberry.type
class AiAgentMutation:
    @mutation(description="Create an AI agent. Needs `agent_session:write`.", input="The AI agent to create.")
    async def create_ai_agent(self, info: Info, input: CreateAiAgentInput) -> AiAgentPayload:
        return await info.context.perform(
            input,
            "ai_agent",
            service.create_agent,
            {"name": input.name, **changes(AiAgentChanges, input, *_AGENT_FIELDS)},
            agent_key=input.agent_key,
            idempotency_key=input.idempotency_key,
        )

    @mutation(
        description="Change an AI agent. Needs `agent_session:write`.",
        input="The AI agent to change, and the fields to change.",
    )
    async def update_ai_agent(self, info: Info, input: UpdateAiAgentInput) -> AiAgentPayload:
        return await info.context.perform(
            input,
            "ai_agent",
            service.update_agent,
            changes(AiAgentChanges, input, *AGENT_CHECKS),
            ref=input.id,
            agent_key=input.agent_key,
            if_version=input.if_version,
        )

    @mutation(
        description="Delete an AI agent. CONFLICT while it has sessions. Needs `agent_session:write`.",
        input="The AI agent to delete.",
    )
    async def delete_ai_agent(self, info: Info, input: DeleteAiAgentInput) -> DeleteAiAgentPayload:
        return await info.context.perform(
            input,
            _deleted_agent,
            service.delete_agent,
            ref=input.id,
            agent_key=input.agent_key,
            if_version=input.if_version,
        )
