"""Lists and repeats reads that keep failing."""

from collections.abc import Sequence

from app.connections.events import ReadQueued
from app.connections.repository import MirroredRepository
from app.connections.repository.mirrored import Failing
from app.connections.service.finding import managed, tell_of
from app.connections.service.parked import MOST_NAMED, Handled, numbers_of
from app.core.actor import Actor
from app.directory.service.editing import Ref
from app.storage.work import Work


def failing_reads(work: Work, actor: Actor, ref: Ref) -> Sequence[Failing]:
    """What the connection could not read or apply after several tries, oldest first, at most 1,000 items.

    Raises Forbidden, NotFound, InvalidInput."""
    return work.use(MirroredRepository).failing(managed(work, actor, ref).id, MOST_NAMED)


def retry_reads(work: Work, actor: Actor, ref: Ref, only: Sequence[str] | None = None) -> Handled:
    """Read again at once what the connection could not read or apply, all or only these.

    Raises Forbidden, NotFound, InvalidInput, TooLong beyond 1,000 of them."""
    system = managed(work, actor, ref)
    numbers = numbers_of(only, "frd", "read_ids")
    number = work.use(MirroredRepository).retry_failing(system.id, work.now, numbers)
    if number:
        # The process that keeps the connection is told, and so is who listens to it.
        tell_of(work, actor, system, ReadQueued(connection_id=system.id, lists=False))
    return Handled(system.id, number)
