"""AI agents and their sessions as rows, and how selections read them."""

from app.kinds.agent_session.repository.agents import AiAgentRepository
from app.kinds.agent_session.repository.mapping import MAPPINGS, ROOTS
from app.kinds.agent_session.repository.sessions import AgentSessionRepository

__all__ = ("MAPPINGS", "ROOTS", "AgentSessionRepository", "AiAgentRepository")
