"""How selections read Sessions and their suggested messages."""

from app.kinds.session.reads.mapping import MAPPINGS, ROOTS

__all__ = ("MAPPINGS", "ROOTS")
