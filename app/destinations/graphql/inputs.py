"""The inputs and payloads of the mutations of destinations."""

from datetime import datetime

import strawberry
from strawberry import Maybe
from strawberry.scalars import JSON

from app.destinations.graphql.types import Delivery, Destination
from app.destinations.model import DestinationType
from app.graph.fields import EditInput, MutationInput, MutationPayload, OnceInput

_ADDRESS = "The URL to send to: https, and a public address; for EMAIL one e-mail address."
_SECRET = (
    "For PAGERDUTY, the integration key of a service; for WEB_PUSH, the keys of a `PushSubscription` as JSON, "
    '`{"p256dh": "…", "auth": "…"}`. It is sealed and never returned. Other types take none.'
)


@strawberry.input(description="A new destination. It receives what happens from now on.")
class CreateDestinationInput(OnceInput):
    name: str = strawberry.field(description="The name of the destination, 1 to 255 characters.")
    type: DestinationType = strawberry.field(
        default=DestinationType.WEBHOOK, description="The type of the destination."
    )
    address: str = strawberry.field(description=_ADDRESS)
    secret: str | None = strawberry.field(
        default=None,
        description=_SECRET,
    )
    document: str | None = strawberry.field(
        default=None,
        description="For a WEBHOOK: a GraphQL document with a subscription whose field has an argument `after`. It "
        "runs with the permissions of the caller. A destination without a document gets the alerts of "
        "policies.",
    )
    operation_name: str | None = strawberry.field(
        default=None, description="The name of the subscription, for a document with several operations."
    )
    variables: JSON | None = strawberry.field(
        default=None, description="The variables of the subscription: an object of up to 16,384 bytes."
    )
    most_in_flight: int = strawberry.field(default=4, description="The largest number of requests at once, 1 to 32.")


@strawberry.input(description="The changes to a destination. An absent field keeps its value.")
class UpdateDestinationInput(EditInput):
    name: Maybe[str] = strawberry.field(description="The name of the destination, 1 to 255 characters.")
    address: Maybe[str] = strawberry.field(description=_ADDRESS)
    secret: Maybe[str] = strawberry.field(description=_SECRET)
    document: Maybe[str | None] = strawberry.field(description="The GraphQL document with the subscription.")
    operation_name: Maybe[str | None] = strawberry.field(description="The name of the subscription in the document.")
    variables: Maybe[JSON | None] = strawberry.field(description="All variables of the subscription.")
    most_in_flight: Maybe[int] = strawberry.field(description="The largest number of requests at once, 1 to 32.")


@strawberry.input(description="A destination.")
class DestinationInput(MutationInput):
    id: strawberry.ID = strawberry.field(description="The id of the destination.")


@strawberry.input(description="The start of a replay: a cursor or a time.")
class ReplayDestinationInput(DestinationInput):
    cursor: str | None = strawberry.field(default=None, description="The cursor after which the replay begins.")
    time: datetime | None = strawberry.field(
        default=None, description="The time from which the replay begins, or up to a minute earlier."
    )


@strawberry.type(description="The result of a mutation of a destination.")
class DestinationPayload(MutationPayload):
    destination: Destination | None = strawberry.field(
        description="The destination as it is now; null after a refusal."
    )


@strawberry.type(description="The result of a mutation that gives a destination a secret.")
class DestinationSecretPayload(MutationPayload):
    destination: Destination | None = strawberry.field(
        description="The destination as it is now; null after a refusal."
    )
    secret: str | None = strawberry.field(
        description="The secret that signs, in the form of Standard Webhooks. It is returned only here. Null for a "
        "repeated request, and for types other than WEBHOOK."
    )


@strawberry.type(description="The result of testing a destination.")
class TestDestinationPayload(MutationPayload):
    delivery: Delivery | None = strawberry.field(description="The outcome of the request; null after a refusal.")


@strawberry.type(description="The result of deleting a destination.")
class DeleteDestinationPayload(MutationPayload):
    deleted_id: strawberry.ID | None = strawberry.field(description="The id of the destination that is gone.")
