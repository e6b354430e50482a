"""Finds destinations, unseals their secrets, and records their events."""

from collections.abc import Sequence
from typing import Protocol

from app.core.actor import Actor
from app.core.errors import Forbidden, NotFound
from app.destinations.events import DestinationHappened
from app.destinations.model import MANAGE, PREFIX, Destination
from app.destinations.repository import DestinationRepository
from app.directory.service.editing import Ref, number
from app.storage.work import Work


class OfDestination(Protocol):
    """An event whose only field is the destination."""

    def __call__(self, *, destination_id: int) -> DestinationHappened: ...


def managed(work: Work, actor: Actor, ref: Ref) -> Destination:
    """Lock a destination that the actor may manage. Raises Forbidden, InvalidInput and NotFound."""
    actor.require(MANAGE)
    found = work.use(DestinationRepository).get(number(ref, PREFIX), for_update=True)
    if found is None:
        raise NotFound(f"There is nothing with the id {ref}.", path=("id",))
    return found


def owned(work: Work, actor: Actor, ref: Ref) -> Destination:
    """Lock a destination whose address the actor may change. Raises Forbidden, InvalidInput and NotFound."""
    found = managed(work, actor, ref)
    if not found.may_be_changed_by(actor):
        raise Forbidden(
            "Only an admin, or the owner of the destination with all permissions that it runs with, can do this.",
            path=("id",),
        )
    return found


def all_destinations(work: Work) -> Sequence[Destination]:
    """Every destination, oldest first, without a check of permissions: for the operator's tools."""
    return work.use(DestinationRepository).all()


def unsealed(work: Work, destination: Destination) -> Sequence[str]:
    """The valid secrets, newest first. Raises app.core.sealing.Unreadable."""
    sealer = work.settings.sealer
    return [sealer.unseal(each) for each in destination.secrets_at(work.now)]


def tell(work: Work, actor: Actor | None, found: Destination, happened: OfDestination) -> None:
    """Record an event of the destination."""
    told = happened(destination_id=found.id)
    work.record(told.record(actor_id=None if actor is None else actor.user_id or None, version=found.version))
