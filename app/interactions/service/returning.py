"""Releases interactions from holders who cannot work on them."""

from typing import TYPE_CHECKING, TypeVar

from app.core.actor import Actor
from app.core.replacing import replace
from app.directory.repository import UserRepository
from app.interactions.model import Interaction, State
from app.interactions.service.rights import may_see, may_work

if TYPE_CHECKING:
    from app.interactions.rules import KindRules
    from app.storage.work import Work

I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of these signatures


def unheld(work: "Work", actor: Actor, before: I) -> I:
    """The interaction, released."""
    kind: KindRules[I] = work.kinds[before.kind]
    return kind.on_assign(work, actor, replace(before, assignee_id=None, claimed_until=None), None)


def without_lost_holder(work: "Work", actor: Actor, before: I) -> I:
    """The same; released when its holder is not active or may not see it."""
    lost = before.assignee_id is not None and before.lost_holder_id == before.assignee_id
    return unheld(work, actor, before) if lost else before


def returned(work: "Work", actor: Actor, before: I, changed: I) -> I:
    """The changed interaction; released when it reopens and its holder may not work on it."""
    kind: KindRules[I] = work.kinds[before.kind]
    if before.state is not State.CLOSED or changed.assignee_id is None:
        return changed
    if kind.state(changed, work.now, work.settings) is State.CLOSED:
        return changed
    # Locked: of a user who leaves in this moment only what is open is looked for.
    holder = work.use(UserRepository).get(changed.assignee_id, for_update=True)
    return changed if holder is None or kind.may_hold(changed, holder) else unheld(work, actor, changed)


def moved_to_team(work: "Work", actor: Actor, before: I, changed: I) -> I:
    """The changed interaction; if its team changed, released unless its holder may still see it and change it as
    before, and without what its kind does not keep in another team."""
    if before.team_id == changed.team_id:
        return changed
    kind: KindRules[I] = work.kinds[before.kind]
    return kind.on_team_changed(work, _with_holder_of_team(work, actor, before, changed))


def _with_holder_of_team(work: "Work", actor: Actor, before: I, changed: I) -> I:
    if changed.assignee_id is None:
        return changed
    holder = work.use(UserRepository).get(changed.assignee_id)
    if holder is None or may_work(holder, changed):
        return changed
    # Who only ever saw it keeps it as long as it is seen.
    return unheld(work, actor, changed) if may_work(holder, before) or not may_see(holder, changed) else changed


def unopened(work: "Work", before: I, counted: I) -> I:
    """The interaction after one more message that is history; a closed one stays closed."""
    kind: KindRules[I] = work.kinds[before.kind]
    states = [kind.state(each, work.now, work.settings) for each in (before, counted)]
    if before.last_message_at is None or states != [State.CLOSED, State.OPEN]:
        return counted
    return replace(counted, last_message_at=before.last_message_at)
