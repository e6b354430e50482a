"""Finds connections, and records their events."""

from typing import Protocol

from app.connections.events import ConnectionEvent
from app.connections.model import MANAGE, PREFIX, ConnectedSystem
from app.connections.repository import ConnectedSystemRepository
from app.core.actor import Actor
from app.core.errors import NotFound
from app.directory.service.editing import Ref, number
from app.storage.work import Work


def managed(work: Work, actor: Actor, ref: Ref) -> ConnectedSystem:
    """Lock the connection that the actor may manage. Raises Forbidden, InvalidInput and NotFound."""
    actor.require(MANAGE)
    system = work.use(ConnectedSystemRepository).kept(number(ref, PREFIX), for_update=True)
    if system is None:
        raise NotFound(f"There is no connection {ref}.", path=("id",))
    return system


class _OfConnection(Protocol):
    """An event whose only field is the connection."""

    def __call__(self, *, connection_id: int) -> ConnectionEvent: ...


def tell(work: Work, actor: Actor, system: ConnectedSystem, happened: _OfConnection) -> None:
    """Record an event of the connection."""
    tell_of(work, actor, system, happened(connection_id=system.id))


def tell_of(work: Work, actor: Actor, system: ConnectedSystem, happened: ConnectionEvent) -> None:
    """Record an event of the connection that has further fields."""
    work.record(happened.record(actor_id=actor.user_id or None, version=system.version))
