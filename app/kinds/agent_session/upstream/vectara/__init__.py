"""The AI agents' own platform: its sessions are walked, and written by its operations."""

from app.kinds.agent_session.upstream.vectara.connector import Vectara

__all__ = ("Vectara",)
