"""The inputs and payloads of AI agents and their sessions."""

import strawberry
from strawberry import Maybe
from strawberry.scalars import JSON

from app.graph.fields import MutationInput, MutationPayload, OnceInput
from app.graph.scalars import JsonObject, Long
from app.kinds.agent_session.graphql.types import AgentSession, AiAgent

_VERSION = "The version that the caller has read. When it is no longer current, nothing is changed: VERSION_CONFLICT."
_JSON = "A JSON object, or its text"


# ---- AI agents ----------------------------------------------------------------------------------------------------


@strawberry.input
class _AgentFields(MutationInput):
    description: Maybe[str | None] = strawberry.field(
        description="The description of the AI agent, up to 10,000 characters."
    )
    metadata: Maybe[JsonObject | None] = strawberry.field(description=f"The metadata of the AI agent. {_JSON}.")
    tool_configurations: Maybe[JsonObject | None] = strawberry.field(
        description=f"The tools of the AI agent. {_JSON}; an array is accepted too."
    )
    model: Maybe[JsonObject | None] = strawberry.field(description=f"The model of the AI agent. {_JSON}.")
    first_step: Maybe[JsonObject | None] = strawberry.field(description=f"The first step of the AI agent. {_JSON}.")
    first_step_name: Maybe[str | None] = strawberry.field(
        description="The name of the AI agent's first step, up to 255 characters."
    )
    steps: Maybe[JsonObject | None] = strawberry.field(
        description=f"The steps of the AI agent. {_JSON}; an array is accepted too."
    )
    skills: Maybe[JsonObject | None] = strawberry.field(
        description=f"The skills of the AI agent. {_JSON}; an array is accepted too."
    )
    compaction: Maybe[JsonObject | None] = strawberry.field(description=f"The compaction of the AI agent. {_JSON}.")


@strawberry.input(description="A new AI agent.")
class CreateAiAgentInput(_AgentFields, OnceInput):
    name: str = strawberry.field(description="The name of the AI agent, 1 to 255 characters.")
    agent_key: str | None = strawberry.field(
        default=None,
        description="The key of the AI agent: 1 to 50 letters, digits, `_` and `-`. Generated when absent.",
    )
    enabled: bool = strawberry.field(default=True, description="Whether the AI agent takes sessions.")


@strawberry.input
class _WhichAgent(MutationInput):
    id: strawberry.ID | None = strawberry.field(default=None, description="The id of the AI agent.")
    agent_key: str | None = strawberry.field(default=None, description="The key of the AI agent in its own system.")
    if_version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(
    description="The changes to an AI agent. An absent field keeps its value; null clears it. Give either id or "
    "agentKey."
)
class UpdateAiAgentInput(_AgentFields, _WhichAgent):
    name: Maybe[str] = strawberry.field(description="The name of the AI agent, 1 to 255 characters.")
    enabled: Maybe[bool | None] = strawberry.field(description="Whether the AI agent takes sessions; null is true.")


@strawberry.input(description="Which AI agent to delete. Give either id or agentKey.")
class DeleteAiAgentInput(_WhichAgent):
    pass


@strawberry.type(description="The result of a mutation of an AI agent.")
class AiAgentPayload(MutationPayload):
    ai_agent: AiAgent | None = strawberry.field(description="The AI agent as it is now; null after a refusal.")


@strawberry.type(description="The result of deleting an AI agent.")
class DeleteAiAgentPayload(MutationPayload):
    deleted_id: strawberry.ID | None = strawberry.field(description="The id of the AI agent that is gone.")


# ---- sessions -----------------------------------------------------------------------------------------------------


@strawberry.input
class _SessionFields(MutationInput):
    name: Maybe[str] = strawberry.field(description="The name of the session, 1 to 255 characters.")
    description: Maybe[str | None] = strawberry.field(
        description="The description of the session, up to 10,000 characters."
    )
    metadata: Maybe[JsonObject | None] = strawberry.field(
        description="All metadata of the session; it replaces the present metadata. Null means none. "
    )
    secrets: Maybe[JSON | None] = strawberry.field(
        description="Secrets of the session by name, merged into the existing ones; null removes one. Names consist"
        " of letters, digits, `_` and `-`; values have 1 to 4,096 characters. Values are not stored."
    )


@strawberry.input(description="A new session of an AI agent.")
class CreateAgentSessionInput(_SessionFields, OnceInput):
    agent_key: str = strawberry.field(description="The key of the AI agent.")
    agent_session_key: str | None = strawberry.field(
        default=None,
        description="The key of the session: 1 to 50 letters, digits, `_` and `-`. Generated when absent.",
    )
    enabled: bool = strawberry.field(default=True, description="Whether the session accepts new messages.")
    tti_minutes: Long = strawberry.field(
        default=0, description="The minutes of idle time after which the session is deleted; 0 is never."
    )


@strawberry.input
class _WhichSession(MutationInput):
    id: strawberry.ID | None = strawberry.field(default=None, description="The id of the session.")
    agent_key: str | None = strawberry.field(default=None, description="The key of the session's AI agent.")
    agent_session_key: str | None = strawberry.field(default=None, description="The key of the session.")
    if_version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(
    description="The changes to a session. An absent field keeps its value. Give either id, or agentKey and "
    "agentSessionKey."
)
class UpdateAgentSessionInput(_SessionFields, _WhichSession):
    enabled: Maybe[bool] = strawberry.field(description="Whether the session accepts new messages.")
    tti_minutes: Maybe[Long] = strawberry.field(
        description="The minutes of idle time after which the session is deleted; 0 is never."
    )


@strawberry.input(description="Which session to delete. Give either id, or agentKey and agentSessionKey.")
class DeleteAgentSessionInput(_WhichSession):
    pass


@strawberry.type(description="The result of a mutation of a session of an AI agent.")
class AgentSessionPayload(MutationPayload):
    agent_session: AgentSession | None = strawberry.field(description="The session as it is now; null after a refusal.")


@strawberry.type(description="The result of deleting a session of an AI agent.")
class DeleteAgentSessionPayload(MutationPayload):
    deleted_id: strawberry.ID | None = strawberry.field(description="The id of the session that is gone.")
