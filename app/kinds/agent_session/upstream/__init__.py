"""The systems whose sessions become AgentSessions."""

from app.kinds.agent_session.upstream.vectara import Vectara

CONNECTORS = (Vectara(),)
"""A connector for each system."""
