"""The types of AI agents and their sessions."""

from datetime import datetime
from typing import Annotated

import strawberry

from app.graph.enums import described
from app.graph.fields import PAGING, Connection, Node, argument, edge
from app.graph.scalars import JsonObject, Long
from app.interactions.graphql import Interaction
from app.interactions.graphql.ordering import NEWEST_INTERACTIONS, InteractionOrder
from app.kinds.agent_session.model import Status

described(
    Status,
    "Whether the AI agent is at work in a session.",
    {
        "UNSTARTED": "No message yet.",
        "RUNNING": "The agent is working on the customer's latest message.",
        "STOPPED": "It has answered.",
    },
    name="AgentSessionStatus",
)


@strawberry.type(description="An AI agent: the software agent of AgentSessions.")
class AiAgent(Node):
    agent_key: str = strawberry.field(description="The key of the AI agent in its own system.")
    name: str = strawberry.field(description="The name of the AI agent.")
    description: str | None = strawberry.field(description="The description of the AI agent.")
    metadata: JsonObject = strawberry.field(description="The metadata of the AI agent, byte for byte.")
    tool_configurations: JsonObject = strawberry.field(description="The tools of the AI agent, byte for byte.")
    model: JsonObject = strawberry.field(description="The model of the AI agent, byte for byte.")
    first_step: JsonObject = strawberry.field(description="The first step of the AI agent, byte for byte.")
    first_step_name: str | None = strawberry.field(description="The name of the AI agent's first step.")
    steps: JsonObject = strawberry.field(description="The steps of the AI agent, byte for byte.")
    skills: JsonObject = strawberry.field(description="The skills of the AI agent, byte for byte.")
    compaction: JsonObject | None = strawberry.field(description="The compaction of the AI agent, byte for byte.")
    enabled: bool = strawberry.field(description="Whether the AI agent takes sessions.")
    created_at: datetime = strawberry.field(description="The time of the AI agent's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the AI agent.")
    version: int = strawberry.field(description="The number of edits of the AI agent, from 1.")
    sessions: Connection[Annotated["AgentSession", strawberry.lazy("app.kinds.agent_session.graphql.types")]] = edge(
        description="The sessions of the AI agent.",
        order_by=argument(InteractionOrder | None, "The order of the sessions.", NEWEST_INTERACTIONS),
        **PAGING,
    )


@strawberry.type(description="How much of its model's memory an AgentSession uses.")
class SessionContextUsage:
    input_tokens: Long | None = strawberry.field(description="The number of tokens of the inputs.")
    output_tokens: Long | None = strawberry.field(description="The number of tokens of the outputs.")
    total_tokens: Long | None = strawberry.field(description="The number of tokens of both.")
    model_context_window: Long | None = strawberry.field(description="The number of tokens that the model can hold.")


@strawberry.type(description="When and how an AgentSession's events are summarized to save memory.")
class CompactionConfig:
    enabled: bool = strawberry.field(description="Whether the events are summarized.")
    threshold_percent: int = strawberry.field(
        description=("The percentage of used memory at which summarizing begins, 50 to 95.")
    )
    keep_recent_inputs: int = strawberry.field(description="The number of newest inputs that are kept as they are.")
    compaction_message: str | None = strawberry.field(description="The instruction for the summary.")
    tool_event_policy: str | None = strawberry.field(
        description="The events of tools that are summarized: `exclude`, `include_outputs` or `include_all`."
    )


@strawberry.type(description="An exchange of a customer with an AI agent.")
class AgentSession(Interaction, Node):
    agent: AiAgent = strawberry.field(description="The AI agent of the session.")
    agent_key: str = strawberry.field(description="The key of the session's AI agent.")
    agent_session_key: str = strawberry.field(description="The key of the session, unique among its AI agent's.")
    name: str = strawberry.field(description="The name of the session.")
    description: str | None = strawberry.field(description="The description of the session.")
    metadata: JsonObject = strawberry.field(
        description="The metadata of the session, byte for byte. `customer_id` in it names the session's customer."
    )
    enabled: bool = strawberry.field(description="Whether the session accepts new messages.")
    tti_minutes: Long = strawberry.field(
        description="The minutes of idle time after which the session is deleted; 0 is never."
    )
    expires_at: datetime | None = strawberry.field(
        description="The time at which the session is deleted unless it is used before; null for never."
    )
    current_step_name: str | None = strawberry.field(
        description="The name of the session's current step; null for the AI agent's first one."
    )
    session_context_usage: SessionContextUsage | None = strawberry.field(description="The memory of the session.")
    effective_compaction: CompactionConfig | None = strawberry.field(description="The compaction of the session.")
    status: Status = strawberry.field(description="The status of the session.")
    created_by_agent_key: str | None = strawberry.field(
        description="The key of the AI agent that made the session by itself."
    )
    created_by_session_key: str | None = strawberry.field(
        description="The key of the session from which the session was made."
    )
    alias_key: str | None = strawberry.field(description="The alias key of the session.")
    secrets: JsonObject = strawberry.field(
        description="The names of the session's secrets, each with `****`. No value is ever kept."
    )
