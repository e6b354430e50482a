"""The types of connections in the graph."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from app.connections.graphql.enums import ConnectionSystemName
from app.connections.model import ConnectionAction, ConnectionErrorCode, ConnectionState
from app.graph.fields import PAGING, Connection, Node, edge


@strawberry.type(description="What is wrong with a connection, and what can be done about it.")
class ConnectionError:
    code: ConnectionErrorCode = strawberry.field(description="The code of the error.")
    action: ConnectionAction = strawberry.field(description="What a person can do about the error.")
    message: str = strawberry.field(description="The sentence of the error, for a person.")


@strawberry.type(description="A delivery that could not be applied. Needs `connections:manage`.")
class ParkedDelivery(Node):
    event_key: str = strawberry.field(description="The id of the delivery in the other system.")
    received_at: datetime = strawberry.field(description="The time of the delivery's arrival.")
    attempts: int = strawberry.field(description="How often applying the delivery has failed.")
    reason: str = strawberry.field(description="Why the delivery could not be applied.")
    body: str = strawberry.field(description="The first 65,536 characters of the delivery's body, as it came.")


@strawberry.type(description="A connection: one account of another system. Needs `connections:manage`.")
class ConnectedSystem(Node):
    system: ConnectionSystemName = strawberry.field(description="The system of the connection.")
    name: str = strawberry.field(description="The name of the connection, which no other connection has.")
    settings: JSON = strawberry.field(description="The settings of the connection, as its system has them.")
    hook_path: str = strawberry.field(
        description="The path at which the connection takes deliveries, below the address of the server."
    )
    state: ConnectionState = strawberry.field(description="The state of the connection.")
    error: ConnectionError | None = strawberry.field(
        description="What is wrong with the connection; null when nothing."
    )
    paused: bool = strawberry.field(description="Whether the connection is paused.")
    last_delivery_at: datetime | None = strawberry.field(
        description="The time of the latest delivery that the connection took."
    )
    last_refused_at: datetime | None = strawberry.field(
        description="The time of the latest delivery that was refused for its signature."
    )
    refused_count: int = strawberry.field(description="The number of deliveries that were refused for their signature.")
    pending: int = strawberry.field(description="The number of deliveries that wait to be applied.")
    lag_seconds: int = strawberry.field(
        description="The whole seconds since the first of the pending deliveries could have been applied."
    )
    parked: int = strawberry.field(description="The number of deliveries that could not be applied.")
    parked_deliveries: Connection[ParkedDelivery] = edge(
        description="The deliveries of the connection that could not be applied, the oldest first.", **PAGING
    )
    former_secret_until: datetime | None = strawberry.field(
        description="The time until which the secret before the current one is valid; null when it is not."
    )
    version: int = strawberry.field(description="The number of edits of the connection, from 1.")
    created_at: datetime = strawberry.field(description="The time of the connection's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the connection.")


@strawberry.type(description="The place of an interaction in the system that it came from.")
class Upstream:
    name: str = strawberry.field(description="The name of the connection.")
    system: ConnectionSystemName = strawberry.field(description="The system of the connection.")
    key: str = strawberry.field(description="The key of the interaction in the other system.")
    synced_at: datetime = strawberry.field(description="The time of the latest delivery about the interaction.")
    connection: ConnectedSystem | None = strawberry.field(
        description="The connection. Null without the permission `connections:manage`, and when it was deleted."
    )
