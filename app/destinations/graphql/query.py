"""The root fields and subscriptions of destinations."""

import strawberry

from app.destinations.graphql.types import Delivery, Destination, DestinationEvent
from app.destinations.model import DeliveryStatus, DestinationState
from app.graph.fields import AFTER, PAGING, Connection, argument, root


@strawberry.type
class DestinationQuery:
    destination: Destination | None = root(
        description="The destination with an id. Needs `destinations:manage`.",
        id=argument(strawberry.ID, "The id of the destination."),
    )
    destinations: Connection[Destination] | None = root(
        description="The destinations, in the order in which they were made. Needs `destinations:manage`.",
        state=argument(DestinationState | None, "The state of the destinations."),
        **PAGING,
    )
    deliveries: Connection[Delivery] | None = root(
        description="The deliveries of the last seven days, the newest first. Needs `destinations:manage`.",
        destination_id=argument(strawberry.ID | None, "The id of the destination of the deliveries."),
        status=argument(DeliveryStatus | None, "The outcome of the deliveries."),
        **PAGING,
    )


@strawberry.type
class DestinationSubscription:
    destination_changed: DestinationEvent = root(
        description="What happens to destinations: created, changed, paused, resumed, stopped, failing, recovered, "
        "deleted. Needs `destinations:manage`.",
        id=argument(strawberry.ID | None, "The id of the destination. The default is all destinations."),
        after=AFTER,
    )
