"""The stored rows of connections: named queries for commands."""

from app.connections.repository.inbox import WAITING, Delivery, InboxRepository, Parked
from app.connections.repository.mirrored import MirroredRepository
from app.connections.repository.systems import ConnectedSystemRepository

__all__ = ("WAITING", "ConnectedSystemRepository", "Delivery", "InboxRepository", "MirroredRepository", "Parked")
