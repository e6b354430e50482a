"""Teams in the graph."""

import strawberry
from strawberry import Maybe

from app.directory import service
from app.directory.graphql.types import Team
from app.directory.model import Team as TeamModel
from app.directory.model import TeamChanges
from app.directory.model.team import CHANGEABLE
from app.graph.context import Info
from app.graph.fields import PAGING, Connection, EditInput, MutationPayload, OnceInput, argument, mutation, root
from app.graph.inputs import changes

_NAME = "The name of the team, 1 to 255 characters, which no other team has."
_MEMBERS = "The ids of the members of the team, at most 1,000."
_ACCOUNTS = (
    "The ids of the ChannelAgents, AiAgents and ChatTopics whose interactions belong to the team, at most 1,000. "
    "Each belongs to one team only."
)
_LABELS = (
    "The labels whose interactions belong to the team, at most 1,000. Each belongs to one team only. Labels count "
    "before accounts. The first label of an interaction that belongs to a team decides."
)


@strawberry.input
class _TeamFields:
    member_ids: Maybe[list[strawberry.ID]] = strawberry.field(description=_MEMBERS)
    account_ids: Maybe[list[strawberry.ID]] = strawberry.field(description=_ACCOUNTS)
    labels: Maybe[list[str]] = strawberry.field(description=_LABELS)


@strawberry.input(description="A new team.")
class CreateTeamInput(_TeamFields, OnceInput):
    name: str = strawberry.field(description=_NAME)


@strawberry.input(
    description=("The changes to a team. An absent field keeps its value; a list replaces the present list.")
)
class UpdateTeamInput(_TeamFields, EditInput):
    name: Maybe[str] = strawberry.field(description=_NAME)


@strawberry.type(description="The result of a mutation of a team.")
class TeamPayload(MutationPayload):
    team: Team | None = strawberry.field(description="The team as it is now; null after a refusal.")


@strawberry.type(description="The result of deleting a team.")
class DeleteTeamPayload(MutationPayload):
    deleted_id: strawberry.ID | None = strawberry.field(description="The id of the team that is gone.")


@strawberry.type
class TeamQuery:
    team: Team | None = root(description="The team with an id.", id=argument(strawberry.ID, "The id of the team."))
    teams: Connection[Team] | None = root(description="The teams, in the order in which they were made.", **PAGING)


def _deleted(gone: TeamModel) -> dict[str, object]:
    return {"deleted_id": f"tea_{gone.id}"}


@strawberry.type
class TeamMutation:
    @mutation(description="Create a team. Needs `teams:manage`.", input="The team to create.")
    async def create_team(self, info: Info, input: CreateTeamInput) -> TeamPayload:
        given: TeamChanges = {"name": input.name, **changes(TeamChanges, input, "member_ids", "account_ids", "labels")}
        return await info.context.perform(
            input, "team", service.create_team, given, idempotency_key=input.idempotency_key
        )

    @mutation(
        description="Change a team. Changed borders only affect interactions that open, are reopened, or change "
        "their account or labels afterwards. Needs `teams:manage`.",
        input="The team to change, and the fields to change.",
    )
    async def update_team(self, info: Info, input: UpdateTeamInput) -> TeamPayload:
        return await info.context.perform(
            input,
            "team",
            service.update_team,
            input.id,
            changes(TeamChanges, input, *CHANGEABLE),
            if_version=input.if_version,
        )

    @mutation(
        description="Delete a team of which every interaction is closed. Needs `teams:manage`.",
        input="The team to delete.",
    )
    async def delete_team(self, info: Info, input: EditInput) -> DeleteTeamPayload:
        return await info.context.perform(input, _deleted, service.delete_team, input.id, if_version=input.if_version)
