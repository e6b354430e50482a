"""The root fields and subscriptions of connections."""

from datetime import datetime

import strawberry

from app.connections.graphql.types import ConnectedSystem
from app.directory.graphql.enums import TopicName
from app.graph.fields import AFTER, PAGING, Connection, argument, root


@strawberry.type
class ConnectionQuery:
    connection: ConnectedSystem | None = root(
        description="The connection with an id. Needs `connections:manage`.",
        id=argument(strawberry.ID, "The id of the connection."),
    )
    connections: Connection[ConnectedSystem] | None = root(
        description="The connections, the oldest first. Needs `connections:manage`.", **PAGING
    )


@strawberry.type(description="Something that happened to a connection.")
class ConnectionEvent:
    cursor: str = strawberry.field(description="The cursor of the event. Events after it can be read with `after`.")
    at: datetime = strawberry.field(description="The time of the event.")
    topic: TopicName = strawberry.field(description="What happened.")
    connection: ConnectedSystem | None = strawberry.field(
        description="The connection as it is now; null once it is deleted."
    )
    connection_id: strawberry.ID = strawberry.field(description="The id of the connection.")


@strawberry.type
class ConnectionSubscription:
    connection_changed: ConnectionEvent = root(
        description="Every change of a connection or of all, and every delivery that is parked. Needs "
        "`connections:manage`.",
        id=argument(strawberry.ID | None, "The id of the connection. The default is all connections."),
        after=AFTER,
    )
