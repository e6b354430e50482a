"""Notes what has changed in other systems, and applies what was read of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.connections.events import ConnectionUpdated
from app.connections.model import ConnectedSystem
from app.connections.model.outbox import EntryState, pause_after
from app.connections.repository import ConnectedSystemRepository, MirroredRepository
from app.connections.repository.mirrored import Mark
from app.connections.repository.outbox import OutboxRepository
from app.connections.service.finding import tell
from app.core.actor import SYSTEM
from app.core.errors import DATABASE_AWAY, DomainError
from app.interactions.connector import Unmappable
from app.interactions.remote import Kept, Listed, ListPage, Remote, Snapshot
from app.interactions.repository.interactions import InteractionRepository
from app.interactions.repository.messages import MessageRepository
from app.storage.work import Work

_SOON = timedelta(seconds=1)


class Later(NamedTuple):
    """Why what was read could not be applied; `soon` where that passes by itself."""

    reason: str
    soon: bool = False


def note_listed(work: Work, connection_id: int, items: Sequence[Listed], *, quiet: bool = False) -> int:
    """Mark what the list says is another than what was read last; how many that are."""
    places = work.use(MirroredRepository)
    known = places.fingerprints(connection_id, [each.key for each in items])
    changed = [each for each in items if each.key not in known or known[each.key] != each.fingerprint]
    for each in changed:
        places.mark(connection_id, each.key, each.fingerprint, work.now, quiet=quiet)
    return len(changed)


def note_walked(work: Work, connection_id: int, page: ListPage, number: int, began_at: datetime) -> None:
    """A page of the complete walk was read: mark what is new in it, and remember how far the walk has come."""
    first = _system(work, connection_id).walked_at is None
    note_listed(work, connection_id, page.items, quiet=first)
    systems = work.use(ConnectedSystemRepository)
    if number < page.pages:
        systems.note_walk(connection_id, began_at=began_at, page=number, pages=page.pages)
        return
    systems.note_walk(connection_id, walked_at=work.now)
    if first:
        tell(work, SYSTEM, _system(work, connection_id), ConnectionUpdated)


def note_reached(work: Work, connection_id: int, fault: str | None, *, polled: bool = False) -> None:
    """The other system was reached, or why it was not."""
    systems = work.use(ConnectedSystemRepository)
    before = systems.kept(connection_id)
    if before is None:
        return
    systems.note_reached(connection_id, fault, work.now if polled else before.polled_at)
    if before.reach_fault != fault or (polled and before.polled_at is None):
        tell(work, SYSTEM, before, ConnectionUpdated)


class Due(NamedTuple):
    """What there is to do now: entries of the outbox, what to read, and when the next of either is due."""

    now: datetime
    entries: Sequence[int]
    marks: Sequence[Mark]
    next_due: datetime | None


def due(work: Work, connection_id: int, entries: int, marks: int) -> Due:
    """What is due of the connection, at most so many of each, and nothing while it is paused.

    `now` is since when what is read may be old."""
    system = _system(work, connection_id)
    if system.paused or system.deleted_at is not None:
        return Due(work.now, (), (), None)
    places, outbox = work.use(MirroredRepository), work.use(OutboxRepository)
    moments = (outbox.next_due(connection_id), places.next_mark_due(connection_id))
    return Due(
        work.now,
        outbox.due(connection_id, work.now, entries),
        places.due_marks(connection_id, work.now, marks),
        min((each for each in moments if each is not None), default=None),
    )


class Next(NamedTuple):
    """The page with which the walk goes on, and when it began; None while it is not due for so many seconds."""

    page: int | None
    began_at: datetime
    seconds: float = 0.0


def next_page(work: Work, connection_id: int, every: timedelta) -> Next:
    """Where the complete walk through the list goes on: the first is due at once, and each later one so long after the
    one before it."""
    system = _system(work, connection_id)
    if system.walk_page is not None and system.walk_began_at is not None:
        return Next(system.walk_page + 1, system.walk_began_at)
    if system.walked_at is not None and work.now < system.walked_at + every:
        return Next(None, work.now, (system.walked_at + every - work.now).total_seconds())
    return Next(1, work.now)


def known_messages(work: Work, connection_id: int, key: str) -> frozenset[str]:
    """The keys of the newest messages that are here of what has this key there."""
    place = work.use(MirroredRepository).place(connection_id, key)
    return frozenset() if place is None else frozenset(work.use(MessageRepository).latest_keys(place.id))


def put_off_mark(
    work: Work, connection_id: int, mark: Mark, reason: str, *, wait: float | None = None, soon: bool = False
) -> None:
    """Reading it failed: it is read again later; `soon` where that is no failure."""
    due_at = work.now + (_SOON if soon else pause_after(mark.attempts + 1, wait))
    attempts = mark.attempts if soon else mark.attempts + 1
    work.use(MirroredRepository).put_off(connection_id, mark.key, attempts, due_at, reason)


def apply_snapshot(
    work: Work, remote: Remote, connection_id: int, mark: Mark, found: Snapshot, began_at: datetime
) -> Later | None:
    """Bring our interaction to what was read of it; None when that is done.

    A read that began before the latest write was confirmed says nothing, nor does one beside a write that may have made
    something: that would be taken for somebody else's."""
    system, places = _system(work, connection_id), work.use(MirroredRepository)
    if system.paused or system.deleted_at is not None:
        return Later("The connection is paused.", soon=True)
    place, entries = places.place(connection_id, found.key), work.use(OutboxRepository)
    shared: frozenset[str] = frozenset()
    if place is not None:
        name = work.use(InteractionRepository).kind_of(place.id)
        if name is not None:
            work.kinds[name].load(work, place.id)
        active = entries.active(place.id)
        if any(each.slot is None and each.state is not EntryState.WAITING for each in active):
            return Later("A message is being sent.", soon=True)
        place = places.place(connection_id, found.key)
        if place is not None and place.written_at is not None and began_at <= place.written_at:
            return Later("It was written to meanwhile.", soon=True)
        shared = frozenset(each.slot for each in active if each.slot is not None)
    kept = Kept(
        shared=shared,
        live_since=system.created_at,
        forgotten_at=places.forgotten_at(connection_id, found.key),
    )
    told = len(work.events)
    try:
        with work.connection.begin_nested():
            mapped = remote.apply(work, connection_id, system.settings, found, kept)
    except DATABASE_AWAY:
        raise
    except Unmappable as unmappable:
        del work.events[told:]
        return Later(unmappable.reason)
    except DomainError as error:
        del work.events[told:]
        return Later(f"{error.code}: {error.message}")
    # Lists may say it in other words than a read: what is compared is what the list said.
    seen = found.fingerprint if mark.fingerprint is None else mark.fingerprint
    if mapped is not None:
        places.note(mapped.interaction_id, connection_id, mapped.key, work.now, fingerprint=seen, url=mapped.url)
    else:
        places.note_forgotten(connection_id, found.key, seen)
    places.clear(connection_id, mark.key, mark.fingerprint)
    return None


def _system(work: Work, connection_id: int) -> ConnectedSystem:
    found = work.use(ConnectedSystemRepository).get(connection_id)
    assert found is not None
    return found
