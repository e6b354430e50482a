"""The mutation `assignTeam`."""

from typing import Any

import strawberry

from app.core.actor import Actor
from app.core.ids import require_id
from app.graph.context import Info
from app.graph.fields import mutation
from app.interactions.graphql.inputs import AssignTeamInput, InteractionPayload
from app.interactions.graphql.mutations import interaction_ref
from app.interactions.service import teams
from app.storage.work import Work


def assign_team(work: Work, actor: Actor, given: str, team: str | None, *, if_version: int | None) -> Any:
    """Give to a team by ids as the graph has them."""
    team_id = None if team is None else require_id(team, "tea", path=("team_id",)).number
    return teams.assign_team(work, actor, interaction_ref(given), team_id, if_version=if_version)


@strawberry.type
class TeamingMutation:
    @mutation(
        description="Give an interaction to a team, or to no team. The borders of teams do not change this.",
        input="The interaction, and the team.",
    )
    async def assign_team(self, info: Info, input: AssignTeamInput) -> InteractionPayload:
        return await info.context.perform(
            input, "interaction", assign_team, input.id, input.team_id, if_version=input.if_version
        )
