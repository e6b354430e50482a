"""What becomes of interactions whose user leaves: they are released, and offers to the user are withdrawn."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from app.core.actor import Actor
from app.directory.model import User
from app.interactions.model import Command
from app.interactions.repository.holdings import HoldingRepository
from app.interactions.service.change import write
from app.interactions.service.returning import unheld

if TYPE_CHECKING:
    from app.interactions.rules import KindRules
    from app.storage.work import Work


def may_work(user: User, kind: str) -> bool:
    """Whether the user may work on interactions of the kind: active, with the permission to write."""
    return "write" in _may(user, kind)


def _may(user: User, kind: str) -> frozenset[str]:
    """What of reading and writing interactions of the kind the user may; nothing, when it is not active."""
    allowed = (verb for verb in ("read", "write") if user.is_admin or f"{kind}:{verb}" in user.permissions)
    return frozenset(allowed) if user.active else frozenset()


def follow_user(work: "Work", actor: Actor, kind: "KindRules[Any]", before: User, after: User) -> None:
    """Release the open interactions of the kind that the user holds and may not see or work on any more."""
    if _may(before, kind.name) - _may(after, kind.name):
        release(work, actor, kind, work.use(HoldingRepository).held(kind.name, after.id))


def release(work: "Work", actor: Actor, kind: "KindRules[Any]", interactions: Iterable[int]) -> None:
    """Let nobody hold the interactions any more, as a release does."""
    for number in interactions:
        before = kind.load(work, number)
        if before is not None and before.assignee_id is not None:
            write(work, actor, before, unheld(work, actor, before), Command.RELEASE)
