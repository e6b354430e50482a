"""AI agents and their sessions as rows."""

from app.kinds.agent_session.repository.agents import AiAgentRepository
from app.kinds.agent_session.repository.sessions import AgentSessionRepository

__all__ = ("AgentSessionRepository", "AiAgentRepository")
