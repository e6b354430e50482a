"""Releases the interactions of users who can no longer work on them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from app.core.actor import Actor
from app.directory.model import User
from app.interactions.model import Command
from app.interactions.repository.holdings import HoldingRepository
from app.interactions.service.change import write
from app.interactions.service.returning import unheld
from app.interactions.service.rights import may_work

if TYPE_CHECKING:
    from app.interactions.rules import KindRules
    from app.storage.work import Work


def _held_by(user: User, kind: str) -> frozenset[object]:
    """The permissions and teams by which the user may see and change interactions of the kind; none if it is not
    active."""
    if not user.active:
        return frozenset()
    if user.is_admin:
        return frozenset({"read", "write"})
    own = {each for each in user.permissions if each.startswith(f"{kind}:")}
    named = {"read" if each == f"{kind}:read" else "write" if each == f"{kind}:write" else each for each in own}
    return frozenset({*named, *user.team_ids})


def follow_user(work: "Work", actor: Actor, kind: "KindRules[Any]", before: User, after: User) -> None:
    """Release the open interactions of the kind that the user holds and may not see or change any more."""
    if not _held_by(before, kind.name) - _held_by(after, kind.name):
        return
    for number in work.use(HoldingRepository).held(kind.name, after.id):
        held = kind.load(work, number)
        if held is not None and not may_work(after, held):
            release(work, actor, kind, [number])


def release(work: "Work", actor: Actor, kind: "KindRules[Any]", interactions: Iterable[int]) -> None:
    """Release the interactions, as the command does."""
    for number in interactions:
        before = kind.load(work, number)
        if before is not None and before.assignee_id is not None:
            write(work, actor, before, unheld(work, actor, before), Command.RELEASE)
