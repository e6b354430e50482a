"""How selections read AI agents and their sessions."""

from app.kinds.agent_session.reads.mapping import MAPPINGS, ROOTS

__all__ = ("MAPPINGS", "ROOTS")
