"""Use cases of presence: viewers of interactions, listeners of the queue."""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from app.interactions.events import ListenersChanged, ViewersChanged
from app.interactions.repository.watches import WatchRepository
from app.interactions.watched import ATTENTION, Subject

if TYPE_CHECKING:
    from app.storage.work import Work

Watched = tuple[Subject, int]
"""What is watched, and the user who watches it."""

LEASE = timedelta(seconds=30)
"""How long who watches is known after the last sign of their process."""


def watch(work: "Work", holder: str, held: Mapping[Watched, int], let_go: Collection[Watched]) -> None:
    """Begin or renew the holder's leases `held`, end those of `let_go`, and tell of what differs by that.

    The user may read interactions of the kind that is said: nobody watches one that is gone, or of another kind."""
    watches = work.use(WatchRepository)
    subjects = sorted({subject for (_, subject), _ in (*held, *let_go)})
    watches.lock(subjects)
    kinds = watches.kinds(subjects)
    holding = {(subject, user): n for ((kind, subject), user), n in held.items() if kinds.get(subject) == kind}
    leaving = [(subject, user) for (kind, subject), user in let_go if kinds.get(subject, kind) == kind]
    before = watches.watchers(subjects, work.now)
    if holding:
        watches.hold(holder, holding, work.now + LEASE)
    if leaving:
        watches.let_go(holder, leaving)
    after = watches.watchers(subjects, work.now)
    _tell(work, [subject for subject in subjects if _seen(subject, before) != _seen(subject, after)])


def forget_watches(work: "Work") -> None:
    """Delete the leases that have ended, and tell the remaining viewers."""
    _tell(work, work.use(WatchRepository).forget(work.now))


def _seen(subject: int, watchers: Mapping[int, Mapping[int, int]]) -> object:
    """What others see of the subject's watchers: of an interaction who they are, of the queue how many."""
    found = watchers.get(subject, {})
    return sum(found.values()) if subject == ATTENTION else found.keys()


def _tell(work: "Work", subjects: Iterable[int]) -> None:
    changed = list(subjects)
    if not changed:
        return
    kinds = work.use(WatchRepository).kinds(changed)
    for subject in changed:
        if subject == ATTENTION:
            work.record(ListenersChanged().record())
        elif subject in kinds:
            work.record(ViewersChanged().record(kind=kinds[subject], interaction_id=subject))
