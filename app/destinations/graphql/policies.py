"""Policies and their alerts in the graph."""

from datetime import datetime
from typing import Any, cast

import strawberry
from strawberry import Maybe

from app.destinations import service
from app.destinations.model import AlertStep, PolicyChanges
from app.graph.context import Info
from app.graph.enums import described
from app.graph.fields import (
    AFTER,
    PAGING,
    Connection,
    EditInput,
    MutationInput,
    MutationPayload,
    Node,
    OnceInput,
    argument,
    mutation,
    root,
)
from app.graph.inputs import changes
from app.interactions.graphql import Interaction
from app.interactions.graphql.enums import KindName, ReasonName
from app.interactions.model import Level

described(
    AlertStep,
    "What is told of an alert.",
    {
        "RAISED": "A human is needed.",
        "REPEATED": "A human is still needed, and nobody has taken notice.",
        "CLAIMED": "A user has claimed the interaction.",
        "ACKNOWLEDGED": "A user has acknowledged the attention.",
        "OVER": "No human is needed any more, the policy is not about it any more, or the interaction is gone.",
    },
)

_FIELDS = (
    *("name", "enabled", "kinds", "levels", "reasons", "team_ids", "destination_ids", "after_minutes"),
    *("again_minutes", "quiet_from", "quiet_to", "time_zone"),
)
_KINDS = "The kinds of the interactions; null for every kind."
_LEVELS = "The levels of the attention; null for every level."
_REASONS = "The reasons of the attention, of which one is enough; null for every reason."
_TEAMS = "The ids of the teams whose interactions it is about; null for every team and for what is in none."
_DESTINATIONS = "The ids of the destinations that are told, up to 20. They have no document of their own."
_AFTER = "The minutes for which nobody has claimed or acknowledged it before it is told, 0 to 10,080."
_AGAIN = "The minutes after which it is told again, 1 to 10,080, while nobody has; null for never."
_QUIET_FROM = "The time of the day at which quiet hours begin, such as `22:00`; null without quiet hours."
_QUIET_TO = "The time of the day at which they end, and what is still open is told."
_ZONE = "The time zone of the quiet hours, such as `Europe/Oslo`."


@strawberry.type(description="Which attention is told to which destinations, when, and how often.")
class Policy(Node):
    name: str = strawberry.field(description="The name of the policy.")
    enabled: bool = strawberry.field(description="Whether the policy is in force.")
    kinds: list[KindName] | None = strawberry.field(description=_KINDS)
    levels: list[Level] | None = strawberry.field(description=_LEVELS)
    reasons: list[ReasonName] | None = strawberry.field(description=_REASONS)
    team_ids: list[strawberry.ID] | None = strawberry.field(description=_TEAMS)
    destination_ids: list[strawberry.ID] = strawberry.field(description="The ids of the destinations that are told.")
    after_minutes: int = strawberry.field(description=_AFTER)
    again_minutes: int | None = strawberry.field(description=_AGAIN)
    quiet_from: str | None = strawberry.field(description=_QUIET_FROM)
    quiet_to: str | None = strawberry.field(description=_QUIET_TO)
    time_zone: str = strawberry.field(description=_ZONE)
    created_at: datetime = strawberry.field(description="The time of the policy's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the policy.")
    version: int = strawberry.field(description="The number of edits of the policy, from 1.")


@strawberry.type(description="Something that a policy tells its destinations of an interaction.")
class AlertEvent:
    cursor: str = strawberry.field(description="The cursor of the event. Events after it can be read with `after`.")
    at: datetime = strawberry.field(description="The time of the event.")
    step: AlertStep = strawberry.field(description="What is told.")
    count: int = strawberry.field(description="The number of times that it was told that a human is needed.")
    policy: Policy | None = strawberry.field(
        description="The policy, while it exists. Needs `destinations:manage`; null without."
    )
    interaction_id: strawberry.ID = strawberry.field(
        description="The id of the event's interaction, also when that is gone."
    )
    interaction: Interaction | None = strawberry.field(description="The interaction as it is now, while it exists.")


@strawberry.input(description="A new policy. It is about those that wait already, too.")
class CreatePolicyInput(OnceInput):
    name: str = strawberry.field(description="The name of the policy, 1 to 255 characters.")
    enabled: bool = strawberry.field(default=True, description="Whether the policy is in force.")
    kinds: list[KindName] | None = strawberry.field(default=None, description=_KINDS)
    levels: list[Level] | None = strawberry.field(default=None, description=_LEVELS)
    reasons: list[ReasonName] | None = strawberry.field(default=None, description=_REASONS)
    team_ids: list[strawberry.ID] | None = strawberry.field(default=None, description=_TEAMS)
    destination_ids: list[strawberry.ID] = strawberry.field(description=_DESTINATIONS)
    after_minutes: int = strawberry.field(default=0, description=_AFTER)
    again_minutes: int | None = strawberry.field(default=None, description=_AGAIN)
    quiet_from: str | None = strawberry.field(default=None, description=_QUIET_FROM)
    quiet_to: str | None = strawberry.field(default=None, description=_QUIET_TO)
    time_zone: str = strawberry.field(default="UTC", description=_ZONE)


@strawberry.input(description="The changes to a policy. An absent field keeps its value.")
class UpdatePolicyInput(EditInput):
    name: Maybe[str] = strawberry.field(description="The name of the policy, 1 to 255 characters.")
    enabled: Maybe[bool] = strawberry.field(description="Whether the policy is in force.")
    kinds: Maybe[list[KindName] | None] = strawberry.field(description=_KINDS)
    levels: Maybe[list[Level] | None] = strawberry.field(description=_LEVELS)
    reasons: Maybe[list[ReasonName] | None] = strawberry.field(description=_REASONS)
    team_ids: Maybe[list[strawberry.ID] | None] = strawberry.field(description=_TEAMS)
    destination_ids: Maybe[list[strawberry.ID]] = strawberry.field(description=_DESTINATIONS)
    after_minutes: Maybe[int] = strawberry.field(description=_AFTER)
    again_minutes: Maybe[int | None] = strawberry.field(description=_AGAIN)
    quiet_from: Maybe[str | None] = strawberry.field(description=_QUIET_FROM)
    quiet_to: Maybe[str | None] = strawberry.field(description=_QUIET_TO)
    time_zone: Maybe[str] = strawberry.field(description=_ZONE)


@strawberry.input(description="A policy.")
class PolicyInput(MutationInput):
    id: strawberry.ID = strawberry.field(description="The id of the policy.")


@strawberry.type(description="The result of a mutation of a policy.")
class PolicyPayload(MutationPayload):
    policy: Policy | None = strawberry.field(description="The policy as it is now; null after a refusal.")


@strawberry.type(description="The result of deleting a policy.")
class DeletePolicyPayload(MutationPayload):
    deleted_id: strawberry.ID | None = strawberry.field(description="The id of the policy that is gone.")


@strawberry.type
class PolicyQuery:
    policy: Policy | None = root(
        description="The policy with an id. Needs `destinations:manage`.",
        id=argument(strawberry.ID, "The id of the policy."),
    )
    policies: Connection[Policy] | None = root(
        description="The policies, in the order in which they were made. Needs `destinations:manage`.", **PAGING
    )


@strawberry.type
class PolicySubscription:
    alert_changed: AlertEvent = root(
        description="What policies tell of interactions that the caller may see.",
        destination_id=argument(
            strawberry.ID | None, "The id of the destination that is told; all destinations without it."
        ),
        after=AFTER,
    )


@strawberry.type
class PolicyMutation:
    @mutation(
        description="Create a policy. Needs `destinations:manage`, and that the caller may change each of its "
        "destinations.",
        input="The policy to create.",
    )
    async def create_policy(self, info: Info, input: CreatePolicyInput) -> PolicyPayload:
        given = _named(cast("PolicyChanges", {name: getattr(input, name) for name in _FIELDS}))
        return await info.context.perform(
            input, "policy", service.create_policy, given, idempotency_key=input.idempotency_key
        )

    @mutation(
        description="Change a policy. Needs that the caller may change each of its destinations, before and after.",
        input="The policy to change, and the fields to change.",
    )
    async def update_policy(self, info: Info, input: UpdatePolicyInput) -> PolicyPayload:
        given = _named(changes(PolicyChanges, input, *_FIELDS))
        return await info.context.perform(
            input, "policy", service.update_policy, input.id, given, if_version=input.if_version
        )

    @mutation(
        description="Delete a policy. What it has told is told to be over.",
        input="The policy to delete.",
    )
    async def delete_policy(self, info: Info, input: PolicyInput) -> DeletePolicyPayload:
        return await info.context.perform(
            input, lambda gone: {"deleted_id": f"pol_{gone.id}"}, service.delete_policy, input.id
        )


def _named(given: PolicyChanges) -> PolicyChanges:
    """The same with the names of enums instead of their values."""
    found = cast("dict[str, Any]", given)
    named = {
        name: [each.name for each in value] for name in ("kinds", "levels", "reasons") if (value := found.get(name))
    }
    return cast("PolicyChanges", {**found, **named})
