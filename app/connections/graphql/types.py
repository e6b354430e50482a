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
    body: str = strawberry.field(description="The first 65,536 characters of the delivery's body, as received.")


@strawberry.type(
    description="An item of the other system that could not be read or applied after several tries. Needs "
    "`connections:manage`."
)
class FailingRead(Node):
    upstream_key: str = strawberry.field(description="The key of the item in the other system.")
    due_at: datetime = strawberry.field(description="The time of the next attempt.")
    attempts: int = strawberry.field(description="How often reading or applying the item has failed.")
    reason: str = strawberry.field(description="Why the latest attempt failed.")


@strawberry.type(description="A connection: one account of another system. Needs `connections:manage`.")
class ConnectedSystem(Node):
    system: ConnectionSystemName = strawberry.field(description="The system of the connection.")
    name: str = strawberry.field(description="The name of the connection, which no other connection has.")
    settings: JSON = strawberry.field(
        description=("The settings of the connection. The system decides which settings exist.")
    )
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
    pending_writes: int = strawberry.field(description="The number of changes that must still be made in the system.")
    pending_reads: int = strawberry.field(
        description="The number of items that changed in the system and must still be read."
    )
    walked_pages: int | None = strawberry.field(
        description="The number of pages that the current complete read has read; null when none is under way."
    )
    total_pages: int | None = strawberry.field(
        description="The number of pages of the system's list; null when no complete read is under way."
    )
    paused: bool = strawberry.field(description="Whether the connection is paused.")
    last_delivery_at: datetime | None = strawberry.field(
        description="The time of the latest delivery that the connection accepted."
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
        description="The number of interactions that the latest complete read of the system did not find, when they "
        "were too many to be deleted here at once; 0 otherwise."
    )
    parked_deliveries: Connection[ParkedDelivery] = edge(
        description="The deliveries of the connection that could not be applied, the oldest first.", **PAGING
    )
    failing_reads: Connection[FailingRead] = edge(
        description="The items of the other system that could not be read or applied after several tries, the oldest "
        "first.",
        **PAGING,
    )
    former_secret_until: datetime | None = strawberry.field(
        description="The time until which the former secret is valid; null when there is none."
    )
    version: int = strawberry.field(description="The number of edits of the connection, from 1.")
    created_at: datetime = strawberry.field(description="The time of the connection's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the connection.")


@strawberry.type(description="A change that must be made in the system that an interaction comes from.")
class OutboxEntry(Node):
    action: str = strawberry.field(
        description="The change. For a Conversation: STATUS, ASSIGNEE, READ, REACTION, MESSAGE, RESTART, NOTE, "
        "NOTE_TEXT or NOTE_GONE. For an "
        "AgentSession: ENABLED, NAME, DESCRIPTION, METADATA, TTI_MINUTES, HIDDEN or MESSAGE. For a "
        "ChatSession: STATUS, FIELD, MESSAGE, PICK_UP, ASSIGN, RESET, TRANSFER, ACCEPT_TRANSFER, "
        "REJECT_TRANSFER or DELETE. For a Session: NEED_ATTENTION, TAGS, TOPICS, SUGGESTED_MESSAGES or "
        "MESSAGE. New kinds may add values."
    )
    state: EntryState = strawberry.field(description="The state of the entry.")
    last_error: str | None = strawberry.field(description="Why the latest attempt failed; null when none has.")
    attempts: int = strawberry.field(description="The number of attempts.")
    created_at: datetime = strawberry.field(description="The time of the command that caused the entry.")
    deadline: datetime = strawberry.field(description="The time after which the entry is no longer tried.")
    about_message: Message | None = strawberry.field(description="The message that the entry is about, or null.")
    user: User | None = strawberry.field(description="The user who caused the entry, or null.")


@strawberry.type(description="The connected system that an interaction comes from, and its place there.")
class Upstream:
    name: str = strawberry.field(description="The name of the connection.")
    system: ConnectionSystemName = strawberry.field(description="The system of the connection.")
    key: str = strawberry.field(description="The key of the interaction in the other system.")
    url: str | None = strawberry.field(
        description="The URL where people see the interaction in the other system, if it is known."
    )
    state: UpstreamState = strawberry.field(description="The state of the interaction's changes in the other system.")
    pending: int = strawberry.field(
        description="The number of the interaction's changes that must still be made in the other system."
    )
    error: str | None = strawberry.field(
        description="The reason why the oldest change was refused, or is uncertain; null when there is none."
    )
    entries: Connection[OutboxEntry] = edge(
        description=(
            "The changes that must be made in the other system, were refused there or are uncertain, oldest first."
        ),
        **PAGING,
    )
    last_synced_at: datetime = strawberry.field(
        description="The time at which the interaction was last updated from the other system."
    )
    connection: ConnectedSystem | None = strawberry.field(
        description="The connection. Null without the permission `connections:manage`, and when it was deleted."
    )
