"""How selections read connections."""

from app.connections.reads.mapping import MAPPINGS, ROOTS, UPSTREAM
from app.connections.reads.outbox import CANNOT, MESSAGE_STATE
from app.connections.reads.streams import CHANGE, STREAMS

__all__ = ("CANNOT", "CHANGE", "MAPPINGS", "MESSAGE_STATE", "ROOTS", "STREAMS", "UPSTREAM")
