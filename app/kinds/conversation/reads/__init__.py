"""How selections read conversations and channel agents."""

from app.kinds.conversation.reads.mapping import MAPPINGS, ROOTS

__all__ = ("MAPPINGS", "ROOTS")
