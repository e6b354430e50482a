"""The AI agents' own platform: reads and writes its sessions."""

from app.kinds.agent_session.upstream.vectara.connector import Vectara

__all__ = ("Vectara",)
