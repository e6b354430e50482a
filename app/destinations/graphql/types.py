"""The types of destinations in the graph."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry.scalars import JSON

from app.destinations.model import DeliveryStatus, DestinationReason, DestinationState, DestinationType
from app.directory.graphql import User
from app.directory.graphql.enums import PermissionName
from app.graph.enums import described
from app.graph.fields import PAGING, Connection, Node, argument, edge
from app.interactions.graphql import Interaction
from app.interactions.graphql.enums import TopicName

if TYPE_CHECKING:
    from app.destinations.graphql.policies import Policy

described(
    DestinationType,
    "By what a destination is reached.",
    {
        "WEBHOOK": "An HTTPS request for each item, signed as Standard Webhooks say.",
        "SLACK": "A message in Slack. The address is that of an incoming webhook, sealed and shown without its path.",
        "TEAMS": "A card in Microsoft Teams. The address is that of a webhook of Workflows, sealed as that of Slack.",
        "PAGERDUTY": "An incident in PagerDuty. The address is that of its Events API v2, the secret the integration "
        "key of a service.",
        "EMAIL": "A message to an e-mail address, by the mail server of the settings.",
        "WEB_PUSH": "A notification in a browser. The address is the endpoint of a `PushSubscription`, sealed as that "
        "of Slack, the secret its keys as JSON.",
    },
)
described(
    DestinationState,
    "Whether a destination is delivered to.",
    {
        "ACTIVE": "It is delivered to.",
        "PAUSED": "It is not, and its place in the log is kept until it is resumed.",
        "STOPPED": "Its receiver answered 410, or a push service 404: it wants nothing any more. It can be resumed.",
    },
)
described(
    DestinationReason,
    "The reason why a destination is not delivered to.",
    {
        "REQUESTED": "A user paused it.",
        "FAILING": "Nothing has arrived for three days.",
        "GONE": "The receiver answered 410, or a push service 404.",
        "OWNER_INACTIVE": "Its owner is not active.",
        "OWNER_NOT_ALLOWED": "Its owner lacks a permission: `destinations:manage`, or one that the document needs.",
        "EVENTS_LOST": "The log no longer holds all that is to be delivered. A replay begins at what there is.",
        "SUBSCRIPTION_REFUSED": "Its document is refused, as after the schema has changed.",
        "SECRET_UNREADABLE": "The server cannot read its secret: `SWITCHBOARD_SECRETS_KEY` is not what it was.",
    },
)
described(
    DeliveryStatus,
    "What became of a delivery.",
    {
        "PENDING": "It failed, and is tried again.",
        "DELIVERED": "The receiver answered with a status from 200 to 299.",
        "GIVEN_UP": "It failed for three days while others arrived, or a replay came before it. A test is tried once.",
    },
)


@strawberry.type(description="Where the items of a subscription are delivered, one request for each.")
class Destination(Node):
    name: str = strawberry.field(description="The name of the destination.")
    type: DestinationType = strawberry.field(description="By what the destination is reached.")
    address: str = strawberry.field(
        description="The URL or e-mail address that is sent to; a URL without its path where that is a secret."
    )
    owner: User = strawberry.field(description="The user with whose permissions the document runs.")
    permissions: list[PermissionName] | None = strawberry.field(
        description="The permissions to which the destination is narrowed, those of the API key that created it; null "
        "when it has all of its owner's."
    )
    document: str | None = strawberry.field(
        description="The GraphQL document with the subscription; null where it gets what policies tell it."
    )
    operation_name: str | None = strawberry.field(description="The name of the subscription in the document.")
    variables: JSON = strawberry.field(description="The variables of the subscription.")
    most_in_flight: int = strawberry.field(description="The number of requests at once, 1 to 32.")
    state: DestinationState = strawberry.field(description="Whether the destination is delivered to.")
    reason: DestinationReason | None = strawberry.field(description="The reason why it is not delivered to.")
    message: str | None = strawberry.field(description="What more is known of the reason, for a person.")
    state_changed_at: datetime = strawberry.field(description="The time of the latest change of the state.")
    failing_since: datetime | None = strawberry.field(
        description="The time since which deliveries fail; null while they arrive."
    )
    delivered_at: datetime | None = strawberry.field(description="The time of the latest delivery that arrived.")
    former_until: datetime | None = strawberry.field(
        description="The time until which the secret before the current one signs too."
    )
    cursor: str = strawberry.field(
        description="The cursor up to which everything was delivered or given up. It moves in steps."
    )
    deliveries: Connection[Annotated["Delivery", strawberry.lazy("app.destinations.graphql.types")]] = edge(
        description="The deliveries of the last seven days, the newest first.",
        status=argument(DeliveryStatus | None, "What became of the deliveries."),
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
    topic: TopicName | None = strawberry.field(description="The topic of the event; null of a test.")
    interaction: Interaction | None = strawberry.field(description="The interaction of the event, while it exists.")
    policy: Annotated["Policy", strawberry.lazy("app.destinations.graphql.policies")] | None = strawberry.field(
        description="The policy that caused it, while it exists."
    )
    status: DeliveryStatus = strawberry.field(description="What became of the delivery.")
    attempts: int = strawberry.field(description="The number of attempts.")
    first_attempt_at: datetime = strawberry.field(
        description="The time of the first attempt, or of the destination's resumption since."
    )
    attempted_at: datetime = strawberry.field(description="The time of the latest attempt.")
    next_attempt_at: datetime | None = strawberry.field(description="The time of the next attempt at the earliest.")
    latency_ms: int = strawberry.field(description="The milliseconds that the latest attempt took.")
    http_status: int | None = strawberry.field(
        description="The status of the latest answer, of a mail server its reply code; null without an answer."
    )
    fault: str | None = strawberry.field(
        description="The code of why the latest attempt has no answer: `ADDRESS_REFUSED`, `CERTIFICATE`, `CONNECTION`, "
        "`INVALID_URL`, `PROTOCOL`, `TIMEOUT`, `UNRESOLVED`, or `ITEM` when the item could not be read."
    )
    excerpt: str | None = strawberry.field(
        description="The beginning of the latest answer where it is a failure or that to a test, up to 500 characters; "
        "without an answer, the fault in words."
    )


@strawberry.type(description="Something that happened to a destination.")
class DestinationEvent:
    cursor: str = strawberry.field(description="The cursor of the event. Events after it can be read with `after`.")
    at: datetime = strawberry.field(description="The time of the event.")
    topic: TopicName = strawberry.field(description="The topic of the event.")
    destination_id: strawberry.ID = strawberry.field(description="The id of the destination, also when it is gone.")
    destination: Destination | None = strawberry.field(description="The destination as it is now, while it exists.")
    actor: User | None = strawberry.field(description="The user who did it; null when no user did.")
    client_mutation_id: str | None = strawberry.field(description="The `clientMutationId` of the mutation that did it.")
