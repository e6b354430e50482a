"""The use case of assigning an interaction to a team."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.core.actor import Actor
from app.core.errors import NotFound
from app.core.ids import GlobalId
from app.directory.model import NO_TEAM
from app.directory.repository import TeamRepository
from app.interactions.model import Command
from app.interactions.service.change import begin, write

if TYPE_CHECKING:
    from app.storage.work import Work


def assign_team(
    work: "Work", actor: Actor, ref: GlobalId, team_id: int | None, *, if_version: int | None = None
) -> Any:
    """Assign the interaction to a team, or with None to none; borders do not move it any more.

    Raises NotFound for a team that does not exist, and what `begin` raises."""
    before = begin(work, actor, ref, Command.ASSIGN_TEAM, if_version=if_version)
    # Held, so that it is not deleted before this is written.
    if team_id is not None and not work.use(TeamRepository).hold(team_id):
        raise NotFound(f"There is no team tea_{team_id}.", path=("team_id",))
    after = replace(before, team_id=NO_TEAM if team_id is None else team_id, team_fixed=True)
    return write(work, actor, before, after, Command.ASSIGN_TEAM)
