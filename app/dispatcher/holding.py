"""Units of work by which processes hold destinations and stay alive."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from app.core.holders import new_holder
from app.destinations.repository import DestinationRepository
from app.storage.leases import begin_life, end_lives, lives_of, prolong_life
from app.storage.work import Work


class Taken(NamedTuple):
    """What was taken of so many that were wanted, under which name, and which others live no more."""

    holder: str
    numbers: Sequence[int]
    wanted: int
    ended: frozenset[str]


def take(work: Work, free: Sequence[int], others: Mapping[str, Sequence[int]], holder: str, lasts: timedelta) -> Taken:
    """Take the destinations that are free or the holder's, and those of others that live no more.

    A holder that lives no more itself gets a new name."""
    ended = end_lives(work, others.keys())
    wanted = [*free, *(number for each in ended for number in others[each])]
    if not wanted:
        return Taken(holder, (), 0, ended)
    name = holder
    if not prolong_life(work, holder, lasts):
        name = new_holder()
        begin_life(work, name, lasts)
    numbers = work.use(DestinationRepository).take(wanted, name, {*ended, holder})
    return Taken(name, numbers, len(wanted), ended)


def live(work: Work, holder: str | None, lasts: timedelta, others: Collection[str]) -> tuple[bool, bool]:
    """Prolong the holder's life. Returns whether it lives, and whether one of the others does not any more."""
    lives = holder is None or prolong_life(work, holder, lasts)
    return lives, bool(others) and len(lives_of(work, others)) < len(others)
