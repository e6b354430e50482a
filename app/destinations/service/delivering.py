"""Commands of the dispatcher: begin delivering, record deliveries, pause."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from app.core.actor import Actor
from app.core.sealing import Unreadable
from app.destinations.events import (
    DeliveryGivenUp,
    DestinationFailing,
    DestinationPaused,
    DestinationRecovered,
    DestinationStopped,
)
from app.destinations.model import (
    MANAGE,
    Delivery,
    DeliveryStatus,
    Destination,
    DestinationReason,
    DestinationState,
    Place,
    acting,
)
from app.destinations.repository import DeliveryRepository, DestinationRepository
from app.destinations.service.finding import tell, unsealed
from app.directory.repository import UserRepository
from app.storage.work import Work

KEPT_FOR = timedelta(days=7)
"""How long deliveries can be looked up."""

_FORGOTTEN_AT_ONCE = 1_000


class Begun(NamedTuple):
    """A destination to deliver to, the actor that its document runs as, and its secrets."""

    destination: Destination
    actor: Actor
    secrets: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The outcomes of deliveries of a run, in their order. `behind` are the places that the cursor has passed."""

    run: int
    deliveries: Sequence[Delivery]
    behind: frozenset[Place]
    cursor: str
    failing_since: datetime | None
    delivered_at: datetime | None


def begin_delivering(work: Work, holder: str, destination_id: int) -> Begun | None:
    """What the holder of a destination needs to deliver to it; None when it is not active.

    The destination is paused when its owner lacks a permission, or its secret cannot be unsealed."""
    found = work.use(DestinationRepository).held(destination_id, holder)
    if found is None or found.state is not DestinationState.ACTIVE:
        return None
    owner = work.use(UserRepository).get(found.owner_id)
    assert owner is not None
    actor = acting(owner, found.permissions)
    if not owner.active:
        _halted(work, found, DestinationReason.OWNER_INACTIVE, "The owner is not active.")
        return None
    if not actor.can(MANAGE):
        _halted(work, found, DestinationReason.OWNER_NOT_ALLOWED, f"The owner lacks the permission {MANAGE}.")
        return None
    try:
        return Begun(found, actor, unsealed(work, found))
    except Unreadable as unreadable:
        _halted(work, found, DestinationReason.SECRET_UNREADABLE, str(unreadable))
        return None


def known_deliveries(work: Work, destination_id: int, run: int, places: Iterable[Place]) -> Mapping[Place, Delivery]:
    """The earlier deliveries of the events at these places."""
    return work.use(DeliveryRepository).known(destination_id, run, places)


def settle(work: Work, holder: str, destination_id: int, settled: Settled) -> bool:
    """Record the outcomes of deliveries. Returns whether the holder may continue.

    Nothing is recorded when another process holds the destination, because that one delivers the same events. If the
    destination was paused meanwhile, everything is recorded; if it was replayed, everything except the cursor."""
    found = work.use(DestinationRepository).held(destination_id, holder)
    if found is None:
        return False
    is_of_run = found.run == settled.run
    deliveries = work.use(DeliveryRepository)
    noted = set()
    for each in _without_words_of_erased(deliveries, settled.deliveries):
        assert each.place is not None
        noted.add(each.place)
        number = deliveries.note(
            destination_id, settled.run, each, behind=each.place in settled.behind or not is_of_run
        )
        if each.status is DeliveryStatus.GIVEN_UP:
            happened = DeliveryGivenUp(destination_id=destination_id, delivery_id=number)
            work.record(happened.record(version=found.version))
    if not is_of_run:
        return False
    deliveries.pass_by(destination_id, settled.run, settled.behind - noted)
    work.use(DestinationRepository).note_progress(
        destination_id, settled.cursor, settled.failing_since, settled.delivered_at
    )
    if (found.failing_since is None) != (settled.failing_since is None):
        tell(work, None, found, DestinationRecovered if settled.failing_since is None else DestinationFailing)
    return found.state is DestinationState.ACTIVE


def note_idle(work: Work, holder: str, passed: Mapping[tuple[int, str], Sequence[int]]) -> None:
    """Store how far a holder's destinations have nothing to deliver: their surrogates by run and cursor."""
    destinations = work.use(DestinationRepository)
    for (run, cursor), numbers in passed.items():
        destinations.move_all(numbers, run, cursor, holder)


def halt(work: Work, holder: str, destination_id: int, run: int, reason: DestinationReason, message: str) -> None:
    """Pause a destination, which keeps its cursor, or stop one whose receiver is gone."""
    found = work.use(DestinationRepository).held(destination_id, holder)
    if found is not None and found.state is DestinationState.ACTIVE and found.run == run:
        _halted(work, found, reason, message)


def forget_deliveries(work: Work) -> bool:
    """Delete deliveries after their retention. Returns whether more may be left."""
    erased = work.use(DeliveryRepository).forget(work.now - KEPT_FOR, _FORGOTTEN_AT_ONCE)
    return erased == _FORGOTTEN_AT_ONCE


def erase_excerpts(work: Work, interaction_id: int, most: int) -> int:
    """Erase the answers to at most `most` deliveries about a deleted interaction. Returns how many."""
    return work.use(DeliveryRepository).erase_excerpts(interaction_id, most)


def _without_words_of_erased(repository: DeliveryRepository, found: Sequence[Delivery]) -> Iterator[Delivery]:
    """The deliveries, without answers about interactions that have been erased meanwhile."""
    about = {each.interaction_id for each in found if each.latest.excerpt is not None} - {None}
    there = repository.hold_interactions(number for number in about if number is not None) if about else frozenset()
    for each in found:
        is_erased = each.interaction_id is not None and each.interaction_id not in there
        yield replace(each, latest=replace(each.latest, excerpt=None)) if is_erased else each


def _halted(work: Work, before: Destination, reason: DestinationReason, message: str) -> None:
    is_gone = reason is DestinationReason.GONE
    after = replace(
        before,
        state=DestinationState.STOPPED if is_gone else DestinationState.PAUSED,
        reason=reason,
        message=message[:1_000],
        state_changed_at=work.now,
        version=before.version + 1,
        updated_at=work.now,
    )
    work.use(DestinationRepository).save(before, after)
    tell(work, None, after, DestinationStopped if is_gone else DestinationPaused)
