"""How selections read connections."""

from app.connections.reads.mapping import MAPPINGS, ROOTS, UPSTREAM
from app.connections.reads.outbox import CANNOT, IS_DOWN, MESSAGE_STATE
from app.connections.reads.streams import CHANGE, STREAMS

__all__ = ("CANNOT", "CHANGE", "IS_DOWN", "MAPPINGS", "MESSAGE_STATE", "ROOTS", "STREAMS", "UPSTREAM")
