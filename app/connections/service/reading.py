"""Records what changed in other systems, and applies reads."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.connections.events import ConnectionUpdated, ReadQueued
from app.connections.model import ConnectedSystem
from app.connections.model.outbox import Entry, EntryState, pause_after
from app.connections.repository import ConnectedSystemRepository, MirroredRepository
from app.connections.repository.mirrored import RESTORED, Mark, Place
from app.connections.repository.outbox import OutboxRepository
from app.connections.service.finding import tell
from app.connections.tables import AGAIN, MISSING
from app.core.actor import CONNECTION, SYSTEM
from app.interactions.events import Deleted
from app.interactions.model import State
from app.interactions.remote import HINT, Kept, Listed, ListPage, Remote, Snapshot
from app.interactions.repository.interactions import InteractionRepository
from app.interactions.repository.messages import MessageRepository
from app.interactions.service.change import erase
from app.storage.work import Work

KEEPS_DELETED = "keepDeleted"
"""The setting that prevents deletions here when the other system no longer has something."""

FEW, SHARE = 20, 0.2
"""How much may be missing at once and still be believed: this many, or this share of all that is mirrored."""

_SOON = timedelta(seconds=1)
_HOT = timedelta(minutes=1)
_WHEN_FREE = timedelta(minutes=10)


class Later(NamedTuple):
    """Why a read could not be applied. `after` is the time until the next try when this is not a failure."""

    reason: str
    after: timedelta | None = None


def note_listed(work: Work, connection_id: int, items: Sequence[Listed], *, quiet: bool = False) -> int:
    """Mark the items whose fingerprint in the list differs from the last read. Returns how many."""
    places = work.use(MirroredRepository)
    known = places.fingerprints(connection_id, [each.key for each in items])
    changed = [each for each in items if each.key not in known or known[each.key] != each.fingerprint]
    places.mark_all(connection_id, [(each.key, each.fingerprint) for each in changed], work.now, quiet=quiet)
    return len(changed)


def note_hint(work: Work, connection_id: int, key: str) -> None:
    """A delivery says that something has changed. The process that keeps the connection reads it at once."""
    work.use(MirroredRepository).mark(connection_id, key, f"{HINT}told", work.now, quiet=False)
    work.record(ReadQueued(connection_id=connection_id, lists=False).record())


def note_change(work: Work, connection_id: int) -> None:
    """A delivery says that something has changed, but not what. The process that keeps the connection reads its list at
    once."""
    work.record(ReadQueued(connection_id=connection_id, lists=True).record())


def note_restored(work: Work, connection_id: int) -> None:
    """The other system was restored from a backup: everything of it is read again completely, and its list too."""
    work.use(MirroredRepository).mark_restored(connection_id, work.now)
    work.use(ConnectedSystemRepository).walk_anew(connection_id)
    tell(work, SYSTEM, _system(work, connection_id), ConnectionUpdated)


def note_walked(
    work: Work,
    remote: Remote,
    connection_id: int,
    page: ListPage,
    number: int,
    began_at: datetime,
    seen: Collection[str] | None,
) -> None:
    """A page of the complete walk was read: mark what is new in it, and store how far the walk has come. `seen` is
    everything that the walk has seen, if it is known from the first page on. After the last page, what is not in it is
    missing."""
    before = _system(work, connection_id)
    first = before.walked_at is None
    note_listed(work, connection_id, page.items, quiet=first)
    systems = work.use(ConnectedSystemRepository)
    if page.after is not None:
        systems.note_walk(connection_id, began_at=began_at, page=number, pages=page.pages, after=page.after)
        return
    systems.note_walk(connection_id, walked_at=work.now)
    missing = before.missing
    if remote.mirrored_whole and seen is not None and before.settings.get(KEEPS_DELETED) is not True:
        missing = _note_missing(work, before, seen, began_at)
    if first or missing != before.missing:
        tell(work, SYSTEM, before, ConnectionUpdated)


def _note_missing(work: Work, system: ConnectedSystem, seen: Collection[str], began_at: datetime) -> int | None:
    """Read again what a walk has not seen; it is deleted here if it is gone there. If it is too much to be believed,
    nothing is done. Returns how much that is."""
    systems, places = work.use(ConnectedSystemRepository), work.use(MirroredRepository)
    keys = places.unseen(system.id, seen, began_at)
    believed = max(FEW, int(places.count(system.id) * SHARE), system.missing_allowed or 0)
    missing = len(keys) if len(keys) > believed else None
    if missing != system.missing or keys:
        systems.note_missing(system.id, missing)
    if missing is None:
        for key in keys:
            places.mark(system.id, key, MISSING, work.now, quiet=True)
    return missing


def restart_walk(work: Work, connection_id: int) -> None:
    """The walk cannot continue from its place, so it starts again."""
    work.use(ConnectedSystemRepository).note_walk(connection_id)


def note_reached(work: Work, connection_id: int, fault: str | None) -> None:
    """Record that the other system was reached, or why it was not."""
    systems = work.use(ConnectedSystemRepository)
    before = systems.kept(connection_id)
    if before is not None and before.reach_fault != fault:
        systems.note_reached(connection_id, fault)
        tell(work, SYSTEM, before, ConnectionUpdated)


def note_polled(work: Work, connection_id: int, cursor: str | None) -> None:
    """All changes of the other system were read up to the cursor."""
    systems = work.use(ConnectedSystemRepository)
    before = systems.kept(connection_id)
    if before is None:
        return
    systems.note_polled(connection_id, work.now, cursor)
    if before.polled_at is None:
        tell(work, SYSTEM, before, ConnectionUpdated)


class Due(NamedTuple):
    """What to do now: entries of the outbox, what to read, and when the next of either is due. `walked` says that the
    complete list has been read once."""

    now: datetime
    entries: Sequence[int]
    marks: Sequence[Mark]
    next_due: datetime | None
    walked: bool = False


def due(work: Work, connection_id: int, entries: int, marks: int) -> Due:
    """What is due for the connection, at most so many of each, and nothing while it is paused.

    `now` is the time from which on a read counts as up to date."""
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
        system.walked_at is not None,
    )


class Next(NamedTuple):
    """The page with which the walk continues, its cursor, and when the walk began. Without a page, the number of
    seconds until one is due."""

    page: int | None
    began_at: datetime
    after: str | None = None
    seconds: float = 0.0


def next_page(work: Work, connection_id: int, every: timedelta) -> Next:
    """Where the complete walk through the list continues. The first page is due at once, each later one after a
    pause."""
    system = _system(work, connection_id)
    if system.walk_page is not None and system.walk_began_at is not None:
        return Next(system.walk_page + 1, system.walk_began_at, system.walk_after)
    if system.walked_at is not None and work.now < system.walked_at + every:
        return Next(None, work.now, seconds=(system.walked_at + every - work.now).total_seconds())
    return Next(1, work.now)


def known_messages(work: Work, connection_id: int, mark: Mark) -> frozenset[str] | Later:
    """The keys of the newest messages here, for an interaction that must be read. All of them were here when it was
    last read; none are returned when that may have changed. Later, while reading it is of no use."""
    place = work.use(MirroredRepository).place(connection_id, mark.key)
    if place is None:
        return frozenset()
    later = _while_sent(work, work.use(OutboxRepository).active(place.id))
    if later is not None or mark.fingerprint == RESTORED:
        return later or frozenset()
    # Messages sent since then may have arrived behind others that are not here yet.
    return frozenset(work.use(MessageRepository).latest_keys(place.id, until=place.synced_at))


def _while_sent(work: Work, active: Sequence[Entry]) -> Later | None:
    """A read waits while a message of the interaction is being sent. The end of that triggers the read at once."""
    sent = [each.due_at for each in active if each.slot is None and each.state is not EntryState.WAITING]
    return Later("A message is being sent.", max(min(sent) - work.now, _SOON)) if sent else None


def _is_older(began_at: datetime, place: Place) -> bool:
    """Whether a read began before the latest write there, or before the latest read that was applied."""
    return began_at < place.synced_at or (place.written_at is not None and began_at <= place.written_at)


def put_off_mark(
    work: Work,
    connection_id: int,
    mark: Mark,
    reason: str,
    *,
    wait: float | None = None,
    after: timedelta | None = None,
) -> None:
    """Reading it failed, so it is read again later. `after` is the pause when this is not a failure."""
    due_at = work.now + (pause_after(mark.attempts + 1, wait) if after is None else after)
    attempts = mark.attempts + 1 if after is None else mark.attempts
    work.use(MirroredRepository).put_off(connection_id, mark, attempts, due_at, reason)


def apply_snapshot(
    work: Work, remote: Remote, connection_id: int, mark: Mark, found: Snapshot, began_at: datetime
) -> Later | None:
    """Update our interaction to what was read. Returns None when that is done. Raises Unmappable, and DomainError for
    what the rules refuse.

    A read that began before the latest write ended, or before another read was applied, is ignored. So is a read while
    a write may have created something, which would be taken for somebody else's."""
    system, places = _system(work, connection_id), work.use(MirroredRepository)
    if system.paused or system.deleted_at is not None:
        return Later("The connection is paused.", _SOON)
    place, entries = places.place(connection_id, found.key), work.use(OutboxRepository)
    shared: frozenset[str] = frozenset()
    if place is not None:
        name = work.use(InteractionRepository).kind_of(place.id)
        if name is not None:
            work.kinds[name].load(work, place.id)
        active = entries.active(place.id)
        later = _while_sent(work, active)
        place = places.place(connection_id, found.key)
        if later is None and place is not None and _is_older(began_at, place):
            later = Later("It was written to or read meanwhile.", _SOON)
        if later is not None:
            return later
        shared = frozenset(each.slot for each in active if each.slot is not None)
    if found.value is None and mark.fingerprint == MISSING:
        return _let_go(work, connection_id, place, mark)
    kept = Kept(
        shared=shared,
        live_since=system.created_at,
        forgotten_at=places.forgotten_at(connection_id, found.key),
    )
    mapped = remote.apply(work, connection_id, system.settings, found, kept)
    # A list may describe it differently from a read: the fingerprint of the list is compared with that of a list.
    said = mark.fingerprint
    seen = found.fingerprint if said is None or said.startswith(HINT) else said
    if mapped is not None:
        places.note(mapped.interaction_id, connection_id, mapped.key, work.now, fingerprint=seen, url=mapped.url)
    else:
        places.note_forgotten(connection_id, found.key, seen)
    places.clear(connection_id, mark)
    if mapped is not None and mapped.again is not None:
        # What is to be read again only after a long time can wait for what has changed.
        places.mark_later(connection_id, mark.key, AGAIN, work.now + mapped.again, quiet=mapped.again > _HOT)
    return None


def _let_go(work: Work, connection_id: int, place: Place | None, mark: Mark) -> Later | None:
    """Delete an interaction that the other system no longer has. While somebody here still has to do something about
    it, it stays: a waiting customer must not disappear silently."""
    name = None if place is None else work.use(InteractionRepository).kind_of(place.id)
    if place is not None and name is not None:
        interaction = work.kinds[name].load(work, place.id)
        needed = interaction.attention.needed or interaction.waiting.needed or interaction.assignee_id is not None
        if interaction.state is not State.CLOSED and needed:
            return Later("It is gone there, and somebody here still has to do with it.", _WHEN_FREE)
        erase(work, CONNECTION, interaction, Deleted())
    work.use(MirroredRepository).clear(connection_id, mark)
    return None


def _system(work: Work, connection_id: int) -> ConnectedSystem:
    found = work.use(ConnectedSystemRepository).get(connection_id)
    assert found is not None
    return found
