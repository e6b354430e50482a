"""The types of destinations in the graph."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry.scalars import JSON

from app.destinations.model import DeliveryStatus, DestinationReason, DestinationState, DestinationType
from app.directory.graphql import User
from app.directory.graphql.enums import PermissionName, TopicName
from app.graph.enums import described
from app.graph.fields import PAGING, Connection, Node, argument, edge
from app.interactions.graphql import Interaction

if TYPE_CHECKING:
    from app.destinations.graphql.policies import Policy

described(
    DestinationType,
    "The tool or protocol by which a destination is reached.",
    {
        "WEBHOOK": "An HTTPS request for each item, signed according to Standard Webhooks.",
        "SLACK": "A message in Slack. The address is an incoming webhook; it is sealed, and shown without its path.",
        "TEAMS": "A card in Microsoft Teams. The address is a webhook of Workflows, sealed as for Slack.",
        "PAGERDUTY": "An incident in PagerDuty. The address is that of its Events API v2, the secret is the "
        "integration key of a service.",
        "EMAIL": "A message to an e-mail address, by the mail server of the settings.",
        "WEB_PUSH": "A notification in a browser. The address is the endpoint of a `PushSubscription`, sealed as for "
        "Slack; the secret is its keys as JSON.",
    },
)
described(
    DestinationState,
    "Whether a destination gets deliveries.",
    {
        "ACTIVE": "It gets deliveries.",
        "PAUSED": "It gets no deliveries, and its place in the log is kept until it is resumed.",
        "STOPPED": "Its receiver answered 410, or a push service 404: it wants no more deliveries. It can be resumed.",
    },
)
described(
    DestinationReason,
    "The reason why a destination gets no deliveries.",
    {
        "REQUESTED": "A user paused it.",
        "FAILING": "No delivery has arrived for three days.",
        "GONE": "The receiver answered 410, or a push service 404.",
        "OWNER_INACTIVE": "Its owner is not active.",
        "OWNER_NOT_ALLOWED": "Its owner lacks a permission: `destinations:manage`, or one that the document needs.",
        "EVENTS_LOST": (
            "Some events that were to be delivered are no longer in the log. A replay begins with the oldest that are."
        ),
        "SUBSCRIPTION_REFUSED": "Its document is refused, for example after a change of the schema.",
        "SECRET_UNREADABLE": "The server cannot read its secret: `SWITCHBOARD_SECRETS_KEY` has changed.",
    },
)
described(
    DeliveryStatus,
    "The outcome of a delivery.",
    {
        "PENDING": "It failed, and will be tried again.",
        "DELIVERED": "The receiver answered with a status from 200 to 299.",
        "GIVEN_UP": (
            "It failed for three days while others arrived, or a replay replaced it. A test is tried only once."
        ),
    },
)


@strawberry.type(description="A receiver of a subscription's items, one request for each item.")
class Destination(Node):
    name: str = strawberry.field(description="The name of the destination.")
    type: DestinationType = strawberry.field(description="The type of the destination.")
    address: str = strawberry.field(
        description=(
            "The URL or e-mail address of the receiver. A URL is shown without its path if the path is a secret."
        )
    )
    owner: User = strawberry.field(description="The user with whose permissions the document runs.")
    permissions: list[PermissionName] | None = strawberry.field(
        description="The permissions that the destination is narrowed to: those of the API key that created it. Null "
        "when it has all permissions of its owner."
    )
    document: str | None = strawberry.field(
        description="The GraphQL document with the subscription; null when the destination gets the alerts of policies."
    )
    operation_name: str | None = strawberry.field(description="The name of the subscription in the document.")
    variables: JSON = strawberry.field(description="The variables of the subscription.")
    most_in_flight: int = strawberry.field(description="The largest number of requests at once, 1 to 32.")
    state: DestinationState = strawberry.field(description="Whether the destination gets deliveries.")
    reason: DestinationReason | None = strawberry.field(
        description=("The reason why the destination gets no deliveries.")
    )
    message: str | None = strawberry.field(description="More about the reason, for a person.")
    state_changed_at: datetime = strawberry.field(description="The time of the latest change of the state.")
    failing_since: datetime | None = strawberry.field(
        description="The time since which deliveries fail; null while they arrive."
    )
    delivered_at: datetime | None = strawberry.field(description="The time of the latest delivery that arrived.")
    former_until: datetime | None = strawberry.field(description="The time until which the former secret signs too.")
    cursor: str = strawberry.field(
        description="The cursor up to which everything was delivered or given up. It is updated from time to time."
    )
    deliveries: Connection[Annotated["Delivery", strawberry.lazy("app.destinations.graphql.types")]] = edge(
        description="The deliveries of the last seven days, the newest first.",
        status=argument(DeliveryStatus | None, "The outcome of the deliveries."),
        **PAGING,
    )
    created_at: datetime = strawberry.field(description="The time of the destination's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the destination.")
    version: int = strawberry.field(description="The number of edits of the destination, from 1.")


@strawberry.type(description="An event on its way to a destination.")
class Delivery(Node):
    destination: Destination | None = strawberry.field(description="The destination of the delivery, while it exists.")
    webhook_id: str = strawberry.field(
        description="The id under which the receiver knows the event, the same at each attempt and in a replay."
    )
    is_test: bool = strawberry.field(description="Whether this was a test.")
    topic: TopicName | None = strawberry.field(description="The topic of the event; null for a test.")
    interaction: Interaction | None = strawberry.field(description="The interaction of the event, while it exists.")
    policy: Annotated["Policy", strawberry.lazy("app.destinations.graphql.policies")] | None = strawberry.field(
        description="The policy that caused it, while it exists."
    )
    status: DeliveryStatus = strawberry.field(description="The outcome of the delivery.")
    attempts: int = strawberry.field(description="The number of attempts.")
    first_attempt_at: datetime = strawberry.field(
        description="The time of the first attempt; after the destination was resumed, of the first attempt since then."
    )
    attempted_at: datetime = strawberry.field(description="The time of the latest attempt.")
    next_attempt_at: datetime | None = strawberry.field(description="The earliest time of the next attempt.")
    latency_ms: int = strawberry.field(description="The milliseconds that the latest attempt took.")
    http_status: int | None = strawberry.field(
        description=(
            "The HTTP status of the latest answer, or the reply code of the mail server; null without an answer."
        )
    )
    fault: str | None = strawberry.field(
        description="The reason why the latest attempt has no answer: `ADDRESS_REFUSED`, `CERTIFICATE`, "
        "`CONNECTION`, `INVALID_URL`, `PROTOCOL`, `TIMEOUT`, `UNRESOLVED`, or `ITEM` when the item could "
        "not be read."
    )
    excerpt: str | None = strawberry.field(
        description="The beginning of the latest answer, up to 500 characters, if it is a failure or the answer to a "
        "test. Without an answer, a description of the fault."
    )


@strawberry.type(description="Something that happened to a destination.")
class DestinationEvent:
    cursor: str = strawberry.field(description="The cursor of the event. Events after it can be read with `after`.")
    at: datetime = strawberry.field(description="The time of the event.")
    topic: TopicName = strawberry.field(description="The topic of the event.")
    destination_id: strawberry.ID = strawberry.field(
        description=("The id of the destination, even after it was deleted.")
    )
    destination: Destination | None = strawberry.field(description="The destination as it is now, while it exists.")
    actor: User | None = strawberry.field(description="The user who did it; null when no user did.")
    client_mutation_id: str | None = strawberry.field(description="The `clientMutationId` of the mutation that did it.")
