"""How far what a connected system had before is read."""

from typing import NamedTuple

from app.connections.model import ConnectionState
from app.connections.model.standing import MANY_TRIES, told
from app.connections.repository import MirroredRepository
from app.connections.service.finding import managed
from app.connections.service.standings import standings
from app.core.actor import Actor
from app.core.errors import InvalidInput
from app.directory.service.editing import Ref
from app.storage.work import Work

_NOT_READ = frozenset({ConnectionState.STOPPED, ConnectionState.BAD_CREDENTIALS})


class History(NamedTuple):
    """What was read of a connection's system, how much there is as far as is known, and whether that is all.

    `stopped` is why it is not being read, for a person; None while it is, or is tried again by itself."""

    name: str
    read: int
    expected: int
    is_whole: bool
    stopped: str | None


def history(work: Work, actor: Actor, ref: Ref) -> History:
    """How far the history of a connection is read. Raises Forbidden, NotFound, InvalidInput for a system that sends."""
    system = managed(work, actor, ref)
    if system.address is None:
        raise InvalidInput(
            "The system of this connection sends its data by itself, so there is nothing to read.", path=("id",)
        )
    places = work.use(MirroredRepository)
    read, waiting = places.count(system.id), places.count_history(system.id, MANY_TRIES)
    expected = read + waiting
    if system.walked_at is None and system.walk_page and system.walk_pages:
        # Its pages are of one size, but for the last.
        expected = max(expected, expected * system.walk_pages // system.walk_page)
    standing = next(each.standing for each in standings(work) if each.system.id == system.id)
    stopped = None
    if standing.state(work.now) in _NOT_READ:
        error = standing.error(work.now)
        stopped = "It is paused." if error is None else told(error)[1]
    return History(system.name, read, expected, system.walked_at is not None and not waiting, stopped)
