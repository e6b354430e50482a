"""Keeps places in the event log valid after a restore."""

from app.destinations.repository import DeliveryRepository, DestinationRepository
from app.storage.event_log import RAISED_BY, parse_cursor, renumber
from app.storage.work import Work


def renumber_events(work: Work) -> None:
    """Give all events new positions after a restore. Events that destinations have not received stay pending.

    Policies need no cursor to continue: without a valid one they check all interactions again."""
    renumber(work)
    destinations = work.use(DestinationRepository)
    for each in destinations.all(for_update=True):
        destinations.move(each.id, _raised(each.cursor))
    work.use(DeliveryRepository).raise_positions(RAISED_BY)


def _raised(cursor: str) -> str:
    return str(parse_cursor(cursor).raised(RAISED_BY))
