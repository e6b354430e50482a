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
    "The step of an alert that a policy sends to destinations.",
    {
        "RAISED": "A human is needed.",
        "REPEATED": "A human is still needed, and nobody has claimed or acknowledged it.",
        "CLAIMED": "A user has claimed the interaction.",
        "ACKNOWLEDGED": "A user has acknowledged the attention.",
        "OVER": "No human is needed any more, the policy no longer applies, or the interaction was deleted.",
    },
)

_FIELDS = (
    *("name", "enabled", "kinds", "levels", "reasons", "team_ids", "destination_ids", "after_minutes"),
    *("again_minutes", "quiet_from", "quiet_to", "time_zone"),
)
_KINDS = "The kinds of the interactions; null for every kind."
_LEVELS = "The levels of the attention; null for every level."
_REASONS = "The reasons of the attention; any of them is enough. Null for every reason."
_TEAMS = (
    "The ids of the teams whose interactions the policy is about; null for all interactions, with or without a team."
)
_DESTINATIONS = "The ids of the destinations that get the alerts, up to 20. They have no document of their own."
_AFTER = (
    "The minutes to wait for somebody to claim or acknowledge the interaction before an alert is sent, 0 to 10,080."
)
_AGAIN = "The minutes after which the alert is repeated while nobody has, 1 to 10,080; null for never."
_QUIET_FROM = "The time of the day at which quiet hours begin, such as `22:00`; null without quiet hours."
_QUIET_TO = "The time of the day at which quiet hours end. Alerts that are still open are then sent."
_ZONE = "The time zone of the quiet hours, such as `Europe/Oslo`."


@strawberry.type(description="Which attention is sent to which destinations, when, and how often.")
class Policy(Node):
    name: str = strawberry.field(description="The name of the policy.")
    enabled: bool = strawberry.field(description="Whether the policy is in force.")
    kinds: list[KindName] | None = strawberry.field(description=_KINDS)
    levels: list[Level] | None = strawberry.field(description=_LEVELS)
    reasons: list[ReasonName] | None = strawberry.field(description=_REASONS)
    team_ids: list[strawberry.ID] | None = strawberry.field(description=_TEAMS)
    destination_ids: list[strawberry.ID] = strawberry.field(
        description=("The ids of the destinations that get the alerts.")
    )
    after_minutes: int = strawberry.field(description=_AFTER)
    again_minutes: int | None = strawberry.field(description=_AGAIN)
    quiet_from: str | None = strawberry.field(description=_QUIET_FROM)
    quiet_to: str | None = strawberry.field(description=_QUIET_TO)
    time_zone: str = strawberry.field(description=_ZONE)
    created_at: datetime = strawberry.field(description="The time of the policy's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the policy.")
    version: int = strawberry.field(description="The number of edits of the policy, from 1.")


@strawberry.type(description="An alert that a policy sent to its destinations about an interaction.")
class AlertEvent:
    cursor: str = strawberry.field(description="The cursor of the event. Events after it can be read with `after`.")
    at: datetime = strawberry.field(description="The time of the event.")
    step: AlertStep = strawberry.field(description="The step of the alert.")
    count: int = strawberry.field(description="The number of messages so far that a human is needed.")
    policy: Policy | None = strawberry.field(
        description="The policy, while it exists. Null without the permission `destinations:manage`."
    )
    interaction_id: strawberry.ID = strawberry.field(
        description="The id of the event's interaction, even after that was deleted."
    )
    interaction: Interaction | None = strawberry.field(description="The interaction as it is now, while it exists.")


@strawberry.input(description="A new policy. It also applies to interactions that already wait.")
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
        description="The alerts of policies about interactions that the caller may see.",
        destination_id=argument(
            strawberry.ID | None, "The id of the destination that got the alert. The default is all destinations."
        ),
        after=AFTER,
    )


@strawberry.type
class PolicyMutation:
    @mutation(
        description="Create a policy. Needs `destinations:manage`. The caller must be allowed to change each of its "
        "destinations.",
        input="The policy to create.",
    )
    async def create_policy(self, info: Info, input: CreatePolicyInput) -> PolicyPayload:
        given = _named(cast("PolicyChanges", {name: getattr(input, name) for name in _FIELDS}))
        return await info.context.perform(
            input, "policy", service.create_policy, given, idempotency_key=input.idempotency_key
        )

    @mutation(
        description="Change a policy. The caller must be allowed to change each of its destinations, before and after.",
        input="The policy to change, and the fields to change.",
    )
    async def update_policy(self, info: Info, input: UpdatePolicyInput) -> PolicyPayload:
        given = _named(changes(PolicyChanges, input, *_FIELDS))
        return await info.context.perform(
            input, "policy", service.update_policy, input.id, given, if_version=input.if_version
        )

    @mutation(
        description="Delete a policy. Its destinations are told that its alerts are over.",
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
