"""Assigns interactions to teams by the teams' borders."""

from typing import TYPE_CHECKING, Any, TypeVar

from app.core.replacing import replace
from app.directory.model import NO_TEAM
from app.directory.repository import TeamRepository
from app.interactions.model import Interaction, State

if TYPE_CHECKING:
    from app.interactions.rules import KindRules
    from app.storage.work import Work

I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of these signatures


def within_borders(work: "Work", before: I | None, after: I) -> I:
    """The same with the team that the borders lead to.

    They are applied when an interaction opens or reopens, and when its account or its labels change. An interaction
    that was assigned to a team, or to none, by hand is not moved."""
    if after.team_fixed or not (before is None or _crosses(work, before, after)):
        return after
    account = after.facets.account
    is_led = account is not None or after.labels
    team = work.use(TeamRepository).led_to(account, after.labels) if is_led else NO_TEAM
    return after if team == after.team_id else replace(after, team_id=team)


def _crosses(work: "Work", before: Interaction, after: Interaction) -> bool:
    if before.labels != after.labels or before.facets.account != after.facets.account:
        return True
    kind: KindRules[Any] = work.kinds[before.kind]
    return before.state is State.CLOSED and kind.state(after, work.now, work.settings) is not State.CLOSED
