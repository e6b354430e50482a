"""The root fields of AI agents and their sessions."""

import strawberry

from app.graph.fields import PAGING, Connection, argument, root
from app.kinds.agent_session.graphql.types import AgentSession, AiAgent


@strawberry.type
class AgentSessionQuery:
    agent_session: AgentSession | None = root(
        description="The AgentSession with the keys in its system. Needs `agent_session:read`.",
        agent_key=argument(str, "The key of the session's AI agent."),
        agent_session_key=argument(str, "The key of the session."),
    )
    ai_agent: AiAgent | None = root(
        description="The AI agent with this id or this key: give exactly one. Needs `agent_session:read`.",
        id=argument(strawberry.ID | None, "The id of the AI agent."),
        agent_key=argument(str | None, "The key of the AI agent in its own system."),
    )
    ai_agents: Connection[AiAgent] | None = root(
        description="The AI agents, in the order in which they were made. Needs `agent_session:read`.",
        enabled=argument(bool | None, "Whether the AI agents take sessions."),
        **PAGING,
    )
