"""Lists, replays and drops parked deliveries."""

from collections.abc import Sequence
from typing import NamedTuple

from app.connections.events import DeliveriesDropped, DeliveriesReplayed
from app.connections.repository import InboxRepository, Parked
from app.connections.service.finding import managed, tell_of
from app.core.actor import Actor
from app.core.errors import TooLong
from app.core.ids import require_id
from app.directory.service.editing import Ref
from app.storage.work import Work

MOST_NAMED = 1_000
"""How many deliveries or reads can be named at once."""


class Handled(NamedTuple):
    """A connection's surrogate, and how many of its deliveries or reads were affected."""

    connection: int
    number: int


def parked_deliveries(work: Work, actor: Actor, ref: Ref) -> Sequence[Parked]:
    """The connection's parked deliveries, in the order of their arrival. Raises Forbidden, NotFound, InvalidInput."""
    return work.use(InboxRepository).parked(managed(work, actor, ref).id)


def replay_parked(work: Work, actor: Actor, ref: Ref, only: Sequence[str] | None = None) -> Handled:
    """Apply the connection's parked deliveries again, all or only these.

    Raises Forbidden, NotFound, InvalidInput, TooLong beyond 1,000 of them."""
    system = managed(work, actor, ref)
    count = work.use(InboxRepository).replay(system.id, work.now, numbers_of(only, "dlv", "delivery_ids"))
    if count:
        tell_of(work, actor, system, DeliveriesReplayed(connection_id=system.id, count=count))
    return Handled(system.id, count)


def drop_parked(work: Work, actor: Actor, ref: Ref, only: Sequence[str] | None = None) -> Handled:
    """Erase the connection's parked deliveries for good, all or only these. Raises the errors of `replay_parked`."""
    system = managed(work, actor, ref)
    count = work.use(InboxRepository).drop(system.id, numbers_of(only, "dlv", "delivery_ids"))
    if count:
        tell_of(work, actor, system, DeliveriesDropped(connection_id=system.id, count=count))
    return Handled(system.id, count)


def numbers_of(only: Sequence[str] | None, prefix: str, field: str) -> list[int] | None:
    """The surrogates of these global ids, which the input has in this field; None for None.

    Raises InvalidInput, TooLong."""
    if only is None:
        return None
    if len(only) > MOST_NAMED:
        raise TooLong(f"This takes at most {MOST_NAMED:,} ids.", path=(field,))
    return [require_id(each, prefix, path=(field, place)).number for place, each in enumerate(only)]
