"""How selections read the directory."""

from app.directory.reads.mapping import MAPPINGS, ROOTS
from app.directory.reads.streams import PRESENCE, STREAMS

__all__ = ("MAPPINGS", "PRESENCE", "ROOTS", "STREAMS")
