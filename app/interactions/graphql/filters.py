"""By what lists of interactions are narrowed."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from app.interactions.graphql.enums import Level, State

if TYPE_CHECKING:
    from app.registry import AttentionReason, InteractionKind


@strawberry.input(description="A span of time.")
class TimeRange:
    since: datetime | None = strawberry.field(default=None, description="The start of the span, itself within it.")
    before: datetime | None = strawberry.field(default=None, description="The end of the span, itself not within it.")


@strawberry.input(description="Whom interactions are assigned to.")
class AssigneeFilter:
    user: strawberry.ID | None = strawberry.field(default=None, description="The id of the assignee.")
    user_or_nobody: strawberry.ID | None = strawberry.field(
        default=None, description="The id of a user: what is assigned to them, or to nobody."
    )
    assigned: bool | None = strawberry.field(default=None, description="Whether there is an assignee at all.")


@strawberry.input(description="Which interactions: all conditions that are given hold; of a list, at least one does.")
class InteractionFilter:
    kinds: list[Annotated["InteractionKind", strawberry.lazy("app.registry")]] | None = strawberry.field(
        default=None, description="The kinds of the interactions."
    )
    states: list[State] | None = strawberry.field(default=None, description="The states of the interactions.")
    assignee: AssigneeFilter | None = strawberry.field(default=None, description="The assignee of the interactions.")
    customer: strawberry.ID | None = strawberry.field(default=None, description="The id of the interactions' customer.")
    labels: list[str] | None = strawberry.field(default=None, description="The labels of the interactions.")
    tags: list[str] | None = strawberry.field(default=None, description="The tags of Sessions.")
    topics: list[str] | None = strawberry.field(default=None, description="The topics of Sessions.")
    needs_attention: bool | None = strawberry.field(default=None, description="Whether the interactions need a human.")
    reasons: list[Annotated["AttentionReason", strawberry.lazy("app.registry")]] | None = strawberry.field(
        default=None, description="The reasons of the attention."
    )
    levels: list[Level] | None = strawberry.field(default=None, description="The levels of the attention.")
    bot_active: bool | None = strawberry.field(default=None, description="Whether a bot answers the customer.")
    created_at: TimeRange | None = strawberry.field(default=None, description="The time of the interactions' creation.")
    updated_at: TimeRange | None = strawberry.field(
        default=None, description="The time of the interactions' latest change."
    )
    last_message_at: TimeRange | None = strawberry.field(
        default=None, description="The time of the interactions' newest message."
    )
