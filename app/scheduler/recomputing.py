"""Recomputes derived columns after a change of settings, while the server runs."""

from collections.abc import Callable
from typing import NamedTuple

from app.interactions.repository.deadlines import DeadlineRepository
from app.interactions.service.deadlines import Failure, recompute
from app.storage.database import Database
from app.storage.work import Work

CHUNK = 100
"""Interactions that one unit derives again; on PostgreSQL they stay locked until it ends."""


class Recomputed(NamedTuple):
    """The numbers of all interactions, of changed ones, of those where only the deadline moved, and of failures."""

    found: int
    changed: int
    moved: int
    failures: tuple[Failure, ...]


async def recompute_all(database: Database, report: Callable[[int, int], None]) -> Recomputed:
    """Recompute state, attention and deadlines of all interactions; a changed interaction records its events.

    Calls `report(done, total)`. It is safe to stop it half-way and to run it again."""
    total = await database.command(_count)
    last, done = 0, Recomputed(0, 0, 0, ())
    while True:
        looked = await database.command(recompute, last, CHUNK)
        if not looked.found:
            return done
        last = looked.last
        done = Recomputed(
            done.found + looked.found,
            done.changed + looked.changed,
            done.moved + looked.moved,
            done.failures + looked.failures,
        )
        report(done.found, max(total, done.found))


def _count(work: Work) -> int:
    return work.use(DeadlineRepository).count()
