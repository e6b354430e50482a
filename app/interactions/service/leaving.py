"""What becomes of interactions whose user leaves: they are released, and offers to the user are withdrawn."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from app.core.actor import Actor
from app.directory.model import User
from app.directory.repository import UserRepository
from app.interactions.model import Command, Interaction
from app.interactions.repository.holdings import HoldingRepository
from app.interactions.service.change import write

if TYPE_CHECKING:
    from app.interactions.rules import KindRules
    from app.storage.work import Work

I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of these signatures


def may_work(user: User, kind: str) -> bool:
    """Whether the user may work on interactions of the kind: active, with the permission to write."""
    return user.active and (user.is_admin or f"{kind}:write" in user.permissions)


def follow_user(work: "Work", actor: Actor, kind: "KindRules[Any]", before: User, after: User) -> None:
    """Release the open interactions of the kind that the user holds and may not work on any more."""
    if may_work(before, kind.name) and not may_work(after, kind.name):
        release(work, actor, kind, work.use(HoldingRepository).held(kind.name, after.id))


def release(work: "Work", actor: Actor, kind: "KindRules[Any]", interactions: Iterable[int]) -> None:
    """Let nobody hold the interactions any more, as a release does."""
    for number in interactions:
        before = kind.load(work, number)
        if before is not None and before.assignee_id is not None:
            write(work, actor, before, unheld(work, actor, before), Command.RELEASE)


def unheld(work: "Work", actor: Actor, before: I) -> I:
    """The interaction in nobody's hands."""
    kind: KindRules[I] = work.kinds[before.kind]
    return kind.on_assign(work, actor, replace(before, assignee_id=None, claimed_until=None), None)


def without_lost_holder(work: "Work", actor: Actor, before: I, *, returns: bool) -> I:
    """The same in nobody's hands, when the user who holds it is not active or may not see it.

    One that `returns`, having been closed, is nobody's also when that user may not work on it any more."""
    if before.assignee_id is None:
        return before
    lost = before.lost_holder_id == before.assignee_id
    if returns and not lost:
        holder = work.use(UserRepository).get(before.assignee_id)
        lost = holder is not None and not work.kinds[before.kind].may_hold(before, holder)
    return unheld(work, actor, before) if lost else before
