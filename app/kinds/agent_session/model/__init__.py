"""What AI agents and their sessions are, and the rules of both."""

from app.kinds.agent_session.model.agent import AGENT_CHECKS, AiAgent, AiAgentChanges
from app.kinds.agent_session.model.metadata import customer_key_of, escalation
from app.kinds.agent_session.model.session import (
    ESCALATED,
    NAME,
    NOT_SUPPORTED,
    PREFIX,
    REASONS,
    SESSION_CHECKS,
    VIEWER_COLUMNS,
    AgentSession,
    AgentSessionChanges,
    Status,
    Subject,
    causes,
    expires_at,
    merged_secrets,
    refusal,
    state,
    turn,
)

__all__ = (
    "AGENT_CHECKS",
    "ESCALATED",
    "NAME",
    "NOT_SUPPORTED",
    "PREFIX",
    "REASONS",
    "SESSION_CHECKS",
    "VIEWER_COLUMNS",
    "AgentSession",
    "AgentSessionChanges",
    "AiAgent",
    "AiAgentChanges",
    "Status",
    "Subject",
    "causes",
    "customer_key_of",
    "escalation",
    "expires_at",
    "merged_secrets",
    "refusal",
    "state",
    "turn",
)
