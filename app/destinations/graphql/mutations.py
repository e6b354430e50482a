"""The mutations of destinations."""

from collections.abc import Mapping
from typing import Any, cast

import strawberry

from app.destinations import service
from app.destinations.graphql.checking import check_changes, check_new
from app.destinations.graphql.inputs import (
    CreateDestinationInput,
    DeleteDestinationPayload,
    DestinationInput,
    DestinationPayload,
    DestinationSecretPayload,
    ReplayDestinationInput,
    TestDestinationPayload,
    UpdateDestinationInput,
)
from app.destinations.model import DestinationChanges
from app.destinations.sending import Sender
from app.graph.context import Info
from app.graph.fields import mutation
from app.graph.inputs import changes

_FIELDS = ("name", "address", "secret", "document", "operation_name", "variables", "most_in_flight")


def _with_secret(made: service.Made) -> Mapping[str, object]:
    return {"destination": made.destination.id, "secret": made.secret}


@strawberry.type
class DestinationMutation:
    @mutation(
        description="Create a destination of the caller. Its secret is returned only here. Needs "
        "`destinations:manage`. With a narrowed key, the document runs with the permissions of that key.",
        input="The destination to create.",
    )
    async def create_destination(self, info: Info, input: CreateDestinationInput) -> DestinationSecretPayload:
        given = DestinationChanges(
            name=input.name,
            type=input.type,
            address=input.address,
            secret=input.secret,
            document=input.document,
            operation_name=input.operation_name,
            variables=cast("Any", input.variables),
            most_in_flight=input.most_in_flight,
        )
        return await info.context.perform_after(
            check_new(info.context, input),
            input,
            _with_secret,
            service.create_destination,
            given,
            idempotency_key=input.idempotency_key,
        )

    @mutation(
        description="Change a destination. Only an admin may, or its owner with a key that has all permissions of "
        "the destination. Otherwise the caller could make it send what the caller may not see.",
        input="The destination to change, and the fields to change.",
    )
    async def update_destination(self, info: Info, input: UpdateDestinationInput) -> DestinationPayload:
        given = changes(DestinationChanges, input, *_FIELDS)
        return await info.context.perform_after(
            check_changes(info.context, input.id, given),
            input,
            "destination",
            service.update_destination,
            input.id,
            given,
            if_version=input.if_version,
        )

    @mutation(
        description="Pause deliveries to a destination until it is resumed. Nothing is lost: its place in the log is "
        "kept.",
        input="The destination to pause.",
    )
    async def pause_destination(self, info: Info, input: DestinationInput) -> DestinationPayload:
        return await info.context.perform(input, "destination", service.pause_destination, input.id)

    @mutation(
        description="Resume deliveries to a paused or stopped destination, starting with what happened meanwhile.",
        input="The destination to resume.",
    )
    async def resume_destination(self, info: Info, input: DestinationInput) -> DestinationPayload:
        return await info.context.perform(input, "destination", service.resume_destination, input.id)

    @mutation(
        description="Deliver again what happened after a cursor or since a time, and continue from there. Anybody "
        "who may change the destination may do this.",
        input="The destination, and the cursor or the time.",
    )
    async def replay_destination(self, info: Info, input: ReplayDestinationInput) -> DestinationPayload:
        return await info.context.perform(
            input, "destination", service.replay_destination, input.id, cursor=input.cursor, time=input.time
        )

    @mutation(
        description="Give a destination a new secret, which is returned only here. The former secret also signs for "
        "one more day. Anybody who may change the destination may do this.",
        input="The destination whose secret is replaced.",
    )
    async def rotate_destination_secret(self, info: Info, input: DestinationInput) -> DestinationSecretPayload:
        return await info.context.perform(input, _with_secret, service.rotate_secret, input.id)

    @mutation(
        description="Send one test message, without an item, to a destination now, whatever its state.",
        input="The destination to test.",
    )
    async def test_destination(self, info: Info, input: DestinationInput) -> TestDestinationPayload:
        found: list[Any] = []

        async def send() -> None:
            context = info.context
            trial = await context.command(service.begin_trial, (input.id,), {})
            sender = Sender(context.outside.client, context.clock, context.settings)
            found.append(trial)
            found.append(await sender.send(trial.destination.type, trial.target, trial.webhook_id, trial.text))

        return await info.context.perform_after(
            send(), input, "delivery", lambda work, actor: service.end_trial(work, actor, *found)
        )

    @mutation(
        description="Delete a destination with its secret. Deliveries to it stay for seven days.",
        input="The destination to delete.",
    )
    async def delete_destination(self, info: Info, input: DestinationInput) -> DeleteDestinationPayload:
        return await info.context.perform(
            input, lambda gone: {"deleted_id": f"dst_{gone.id}"}, service.delete_destination, input.id
        )
