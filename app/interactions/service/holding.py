"""Use cases of the holder: claim, release, assign."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from app.core.actor import Actor
from app.core.errors import InvalidInput
from app.core.ids import GlobalId
from app.interactions.claims import holder_of
from app.interactions.model import Command, Interaction, State
from app.interactions.service.assigning import require_assignable
from app.interactions.service.change import begin, kind_of, write
from app.interactions.service.returning import unheld

if TYPE_CHECKING:
    from app.storage.work import Work

I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of these signatures

LONGEST_LEASE = 86_400
"""Seconds; a claim that is meant to last longer has no lease."""


def claim(
    work: "Work", actor: Actor, ref: GlobalId, *, lease_seconds: int | None = None, if_version: int | None = None
) -> Any:
    """Assign the interaction to the actor if nobody holds it; with a lease only for that long.

    The holder renews the lease, or keeps the interaction without one; a lease never shortens a longer claim. Raises
    AlreadyClaimed with the holder and the end of the claim; InvalidInput for a lease not from 1 to 86,400 s; and what
    `begin` and `write` raise."""
    if lease_seconds is not None and not 1 <= lease_seconds <= LONGEST_LEASE:
        raise InvalidInput(f"A lease lasts from 1 to {LONGEST_LEASE} seconds.", path=("lease_seconds",))
    until = None if lease_seconds is None else work.now + timedelta(seconds=lease_seconds)
    before = begin(work, actor, ref, Command.CLAIM, if_version=if_version)
    free = replace(before, answered_lease=None, lease_answer_id=None)
    if holder_of(before, work.now) == actor.user_id:
        lasts = None if until is None or before.claimed_until is None else max(until, before.claimed_until)
        after = replace(free, claimed_until=lasts)
    else:
        after = replace(free, assignee_id=actor.user_id, claimed_until=until)
        after = kind_of(work, ref).on_assign(work, actor, after, actor.user_id)
    return write(work, actor, before, after, Command.CLAIM)


def release(work: "Work", actor: Actor, ref: GlobalId, *, if_version: int | None = None) -> Any:
    """Release the interaction, so that anybody can claim it.

    Raises AlreadyClaimed when another user holds it and the actor is no admin, and what `begin` raises."""
    before = begin(work, actor, ref, Command.RELEASE, if_version=if_version)
    return write(work, actor, before, _unassigned(work, actor, before), Command.RELEASE)


def assign(work: "Work", actor: Actor, ref: GlobalId, user_id: int | None, *, if_version: int | None = None) -> Any:
    """Assign the interaction to a user, without a lease, or with None to nobody.

    Raises InvalidInput for a user who does not exist, is not active or may not see it, AlreadyClaimed when another user
    than the actor holds it and the actor is no admin, and what `begin` raises."""
    before = begin(work, actor, ref, Command.ASSIGN, if_version=if_version)
    if user_id is None:
        return write(work, actor, before, _unassigned(work, actor, before), Command.ASSIGN)
    require_assignable(work, before, user_id)
    after = replace(before, assignee_id=user_id, claimed_until=None, answered_lease=None, lease_answer_id=None)
    if holder_of(before, work.now) != user_id:
        after = kind_of(work, ref).on_assign(work, actor, after, user_id)
    return write(work, actor, before, after, Command.ASSIGN)


def lapsed(work: "Work", actor: Actor, before: I) -> I:
    """The interaction after its lease has ended: released, unless it was renewed, answered in time or closed
    meanwhile."""
    if before.claimed_until is None or before.claimed_until > work.now:
        return before
    if before.state is State.CLOSED:
        return replace(before, claimed_until=None)
    return unheld(work, actor, before)


def _unassigned(work: "Work", actor: Actor, before: I) -> I:
    return before if before.assignee_id is None else unheld(work, actor, before)
