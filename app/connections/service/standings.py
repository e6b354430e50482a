"""How the connections stand."""

from typing import NamedTuple

from app.connections.model import ConnectedSystem, Standing
from app.connections.repository import ConnectedSystemRepository, InboxRepository, MirroredRepository
from app.connections.tables import PARKED, PENDING
from app.storage.work import Work


class Stands(NamedTuple):
    """A connection, its state, and how many of its deliveries wait."""

    system: ConnectedSystem
    standing: Standing
    pending: int


def standings(work: Work) -> list[Stands]:
    """All connections and their states, oldest first."""
    inbox = work.use(InboxRepository)
    return [
        Stands(
            each,
            Standing(
                each.paused,
                each.fault,
                each.last_delivery_at,
                each.last_refused_at,
                inbox.count_in(each.id, PARKED),
                inbox.first_due(each.id),
                each.address,
                each.reach_fault,
                each.polled_at,
                each.walked_at,
                each.missing,
                work.use(MirroredRepository).count_failing(each.id),
            ),
            inbox.count_in(each.id, PENDING),
        )
        for each in work.use(ConnectedSystemRepository).all_kept()
    ]
