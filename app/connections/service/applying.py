"""Applies deliveries, each in its own unit, and parks failing ones."""

from collections.abc import Sequence
from datetime import timedelta
from enum import Enum, auto

from app.connections.events import DeliveryParked
from app.connections.model import ConnectedSystem, parsed_key
from app.connections.repository import ConnectedSystemRepository, Delivery, InboxRepository, MirroredRepository
from app.connections.service.finding import tell_of
from app.connections.service.systems import Connectors
from app.core.actor import SYSTEM
from app.core.errors import DATABASE_AWAY, DomainError
from app.interactions.connector import About, Unmappable
from app.storage.work import Work

PAUSES = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2))
"""The pauses before a failed delivery is tried again. After the last try it is parked."""

KEPT_FOR = timedelta(days=7)
"""How long the key of an applied delivery is stored, so that a repeat changes nothing."""

_FORGOTTEN_AT_ONCE = 1_000
_FAILED = "INTERNAL: Applying it failed for a reason that the server's log has."


class Outcome(Enum):
    """The result of a delivery."""

    APPLIED = auto()
    PUT_OFF = auto()
    PARKED = auto()
    GONE = auto()


def due_deliveries(work: Work, connection_id: int, most: int) -> Sequence[int]:
    """The surrogates of deliveries that are due, in the order of their arrival."""
    return work.use(InboxRepository).due(connection_id, work.now, most)


def apply_delivery(work: Work, connectors: Connectors, delivery_id: int) -> Outcome:
    """Apply a whole delivery, or record why it cannot be applied. GONE when another process has done it, or it waits
    again.

    Raises errors that are not refusals: a fault of the program or the database. `put_off` then records it."""
    found = _taken(work, delivery_id)
    if found is None:
        return Outcome.GONE
    delivery, system = found
    connector = connectors.get(system.system)
    if connector is None:
        return _failed(work, connectors, *found, f"There is no connector for {system.system}.", passing=True)
    told = len(work.events)
    try:
        with work.connection.begin_nested():
            mapped = connector.apply(work, system.id, system.settings, delivery.body)
    except DATABASE_AWAY:
        raise
    except Unmappable as unmappable:
        del work.events[told:]
        return _failed(work, connectors, *found, unmappable.reason, passing=unmappable.passing)
    except DomainError as error:
        del work.events[told:]
        return _failed(work, connectors, *found, _said(error), passing=False)
    if mapped is not None:
        work.use(MirroredRepository).note(mapped.interaction_id, system.id, mapped.key, work.now)
    work.use(InboxRepository).done(delivery.id)
    return Outcome.APPLIED


def put_off(work: Work, connectors: Connectors, delivery_id: int) -> Outcome:
    """Record that applying a delivery failed unexpectedly. It is tried again later, and parked after the last try."""
    found = _taken(work, delivery_id)
    if found is None:
        return Outcome.GONE
    return _failed(work, connectors, *found, _FAILED, passing=True)


def erase_deliveries(work: Work, customer_key: str | None) -> None:
    """Erase deliveries about the customer with this key of ours that were not applied yet."""
    found = None if customer_key is None else parsed_key(customer_key)
    if found is not None:
        work.use(InboxRepository).erase_about(*found)


def forget_mirrored(work: Work, interactions: Sequence[int]) -> None:
    """Prevent these interactions from coming back: they will be erased here, and are still in their systems."""
    places = work.use(MirroredRepository)
    for connection_id, key in places.list_of_customer(interactions):
        places.forget(connection_id, key, work.now)


def forget_deliveries(work: Work) -> bool:
    """Delete the keys of deliveries that were applied long ago. Returns whether more may be left."""
    return work.use(InboxRepository).forget(work.now - KEPT_FOR, _FORGOTTEN_AT_ONCE)


def _taken(work: Work, delivery_id: int) -> tuple[Delivery, ConnectedSystem] | None:
    delivery = work.use(InboxRepository).take(delivery_id, work.now)
    if delivery is None:
        return None
    system = work.use(ConnectedSystemRepository).get(delivery.connection_id)
    assert system is not None
    return delivery, system


def _failed(
    work: Work, connectors: Connectors, delivery: Delivery, system: ConnectedSystem, reason: str, *, passing: bool
) -> Outcome:
    attempts, connector = delivery.attempts + 1, connectors.get(system.system)
    about = About() if connector is None else connector.about(work, system.id, system.settings, delivery.body)
    of = about.customer_id
    if passing and attempts <= len(PAUSES):
        due_at = work.now + PAUSES[attempts - 1]
        work.use(InboxRepository).put_off(delivery.id, attempts, due_at, reason, of)
        return Outcome.PUT_OFF
    work.use(InboxRepository).park(delivery.id, attempts, reason, of)
    tell_of(work, SYSTEM, system, DeliveryParked(connection_id=system.id, delivery_id=delivery.id))
    return Outcome.PARKED


def _said(error: DomainError) -> str:
    """The refusal in one line: its code, its message, and where."""
    at = ".".join(map(str, error.path))
    return f"{error.code}: {error.message}" + (f" ({at})" if at else "")
