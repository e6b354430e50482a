"""The types of connections in the graph."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from app.connections.graphql.enums import ConnectionSystemName
from app.connections.model import ConnectionAction, ConnectionErrorCode, ConnectionState
from app.connections.model.outbox import EntryState, UpstreamState
from app.directory.graphql import User
from app.graph.fields import PAGING, Connection, Node, edge
from app.interactions.graphql.types import Message


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
    address: str | None = strawberry.field(
        description="The address of the system's REST contract; null for a system that only sends deliveries."
    )
    pending_writes: int = strawberry.field(description="The number of things that are still to be done in the system.")
    pending_reads: int = strawberry.field(
        description="The number of things that changed in the system and were not taken in yet."
    )
    walked_pages: int | None = strawberry.field(
        description="The number of pages of the system's list that the current complete reading has read; null while "
        "there is none."
    )
    total_pages: int | None = strawberry.field(
        description="The number of pages of the system's list; null while it is not being read completely."
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
    missing: int = strawberry.field(
        description="How many interactions the latest complete reading of the system did not find and left here, as "
        "they were too many at once; 0 otherwise."
    )
    parked_deliveries: Connection[ParkedDelivery] = edge(
        description="The deliveries of the connection that could not be applied, the oldest first.", **PAGING
    )
    former_secret_until: datetime | None = strawberry.field(
        description="The time until which the secret before the current one is valid; null when it is not."
    )
    version: int = strawberry.field(description="The number of edits of the connection, from 1.")
    created_at: datetime = strawberry.field(description="The time of the connection's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the connection.")


@strawberry.type(description="Something that is to be done in the system that an interaction comes from.")
class OutboxEntry(Node):
    action: str = strawberry.field(
        description="What is to be done. Of a Conversation: STATUS, ASSIGNEE, READ, REACTION, MESSAGE or RESTART. Of "
        "an AgentSession: ENABLED, NAME, DESCRIPTION, METADATA, TTI_MINUTES, HIDDEN or MESSAGE. Of a ChatSession: "
        "STATUS, FIELD, MESSAGE, PICK_UP, ASSIGN, RESET, TRANSFER, ACCEPT_TRANSFER, REJECT_TRANSFER or DELETE. Of a "
        "Session: NEED_ATTENTION, TAGS, TOPICS, SUGGESTED_MESSAGES or MESSAGE. Kinds that are added may add others."
    )
    state: EntryState = strawberry.field(description="The state of the entry.")
    last_error: str | None = strawberry.field(description="Why the latest attempt failed; null when none has.")
    attempts: int = strawberry.field(description="The number of attempts.")
    created_at: datetime = strawberry.field(description="The time of the command that caused the entry.")
    deadline: datetime = strawberry.field(description="The time after which the entry is not tried any more.")
    about_message: Message | None = strawberry.field(
        description="The message of ours that the entry is about, or null."
    )
    user: User | None = strawberry.field(description="The user who caused the entry, or null.")


@strawberry.type(description="The place of an interaction in the system that it came from.")
class Upstream:
    name: str = strawberry.field(description="The name of the connection.")
    system: ConnectionSystemName = strawberry.field(description="The system of the connection.")
    key: str = strawberry.field(description="The key of the interaction in the other system.")
    url: str | None = strawberry.field(
        description="The address at which people see the interaction in the other system, where that is known."
    )
    state: UpstreamState = strawberry.field(description="The state of the interaction towards the other system.")
    pending: int = strawberry.field(
        description="The number of things that are still to be done in the other system for the interaction."
    )
    error: str | None = strawberry.field(
        description="Why the oldest thing was refused, or is uncertain; null when nothing is."
    )
    entries: Connection[OutboxEntry] = edge(
        description="What is to be done in the other system, was refused there or is uncertain, the oldest first.",
        **PAGING,
    )
    last_synced_at: datetime = strawberry.field(
        description="The time at which the interaction was last brought to what the other system has."
    )
    connection: ConnectedSystem | None = strawberry.field(
        description="The connection. Null without the permission `connections:manage`, and when it was deleted."
    )
