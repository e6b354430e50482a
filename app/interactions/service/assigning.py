"""Locks and checks the user to whom an interaction is assigned."""

from typing import TYPE_CHECKING

from app.core.actor import Actor
from app.core.errors import Forbidden, InvalidInput
from app.directory.repository import UserRepository
from app.interactions.model import Interaction
from app.interactions.service.rights import may_join, may_see

if TYPE_CHECKING:
    from app.storage.work import Work


def require_assignable(work: "Work", interaction: Interaction, user_id: int) -> None:
    """Lock the user until the unit ends; raise InvalidInput unless the interaction can be assigned to that user."""
    user = work.use(UserRepository).get(user_id, for_update=True)
    if user is None or not user.active:
        raise _inactive(user_id)
    if not may_see(user, interaction):
        raise InvalidInput("The user may not see this, so it cannot be assigned to them.", path=("user_id",))


def require_able(work: "Work", actor: Actor, before: Interaction, changed: Interaction) -> None:
    """Lock the user to whom a command assigns the interaction, if it does, and check that the user can have it now.

    An actor is its user as of the start of the request; since then the user may have been deactivated, lost a
    permission or left a team. A later change of the user waits for this unit and then finds what it assigned.
    Raises Forbidden for the actor itself, and InvalidInput for another user who is not active."""
    user_id = changed.assignee_id
    if user_id is None or user_id == before.assignee_id:
        return
    user = work.use(UserRepository).get(user_id, for_update=True)
    is_active = user is not None and user.active
    if user_id != actor.user_id and not is_active:
        raise _inactive(user_id)
    if not is_active:
        raise Forbidden("Your user is not active any more.")
    if user_id == actor.user_id and user is not None and not may_join(user, before):
        raise Forbidden("Your user may not change this any more.")


def active_user(work: "Work", user_id: int | None) -> int | None:
    """The same surrogate, its user locked until the unit ends; None for a user who is not active."""
    user = None if user_id is None else work.use(UserRepository).get(user_id, for_update=True)
    return user.id if user is not None and user.active else None


def _inactive(user_id: int) -> InvalidInput:
    return InvalidInput(f"There is no active user usr_{user_id}.", path=("user_id",))
