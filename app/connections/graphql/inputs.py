"""The inputs and payloads of the mutations of connections."""

import strawberry
from strawberry.scalars import JSON

from app.connections.graphql.enums import ConnectionSystemName
from app.connections.graphql.types import ConnectedSystem
from app.graph.fields import EditInput, MutationInput, MutationPayload, OnceInput
from app.interactions.graphql import Interaction

_SECRET = "`whsec_` and 24 to 64 bytes in base64. Generated when absent."


@strawberry.input(description="A new connection.")
class CreateConnectionInput(OnceInput):
    system: ConnectionSystemName = strawberry.field(description="The system of the connection.")
    name: str = strawberry.field(description="The name of the connection, 1 to 255 characters.")
    settings: JSON | None = strawberry.field(
        default=None, description="The settings of the connection: an object. The system decides which settings exist."
    )
    secret: str | None = strawberry.field(default=None, description=f"The secret that signs deliveries: {_SECRET}")
    address: str | None = strawberry.field(
        default=None, description="The address of the system's REST contract, for a system that is read and written."
    )
    credential: str | None = strawberry.field(
        default=None, description="The token that the system accepts, for a system that is read and written."
    )


@strawberry.input(description="The changes to a connection.")
class UpdateConnectionInput(EditInput):
    name: str | None = strawberry.field(
        default=None, description="The name of the connection, 1 to 255 characters. The default is the present one."
    )
    address: str | None = strawberry.field(
        default=None, description="The address of the system's REST contract. The default is the present one."
    )
    credential: str | None = strawberry.field(
        default=None, description="The token that the system accepts. The default is the present one."
    )
    settings: JSON | None = strawberry.field(
        default=None,
        description="All settings of the connection, for a system that is read and written: an object, whose absent "
        "members count as not set. The default is the present settings.",
    )
    allow_missing: int | None = strawberry.field(
        default=None,
        description="How many interactions the next complete read may delete here at once, 1 to 1,000,000, because "
        "the system no longer has them. Give the number of `missing` if they were really deleted.",
    )


@strawberry.input(description="Which connection it is.")
class ConnectionInput(MutationInput):
    id: strawberry.ID = strawberry.field(description="The id of the connection.")


@strawberry.input(description="The connection that gets a new secret.")
class RotateConnectionSecretInput(ConnectionInput):
    secret: str | None = strawberry.field(default=None, description=f"The new secret: {_SECRET}")
    former_for_seconds: int = strawberry.field(
        default=86_400,
        description="How long the former secret stays valid beside the new one, 0 to 604,800 seconds.",
    )


@strawberry.input(description="Which entry of an outbox it is.")
class OutboxEntryInput(MutationInput):
    id: strawberry.ID = strawberry.field(description="The id of the entry.")


@strawberry.type(description="The result of a mutation of an entry of an outbox.")
class OutboxEntryPayload(MutationPayload):
    interaction: Interaction | None = strawberry.field(
        description="The interaction of the entry as it is now; null after a refusal."
    )


@strawberry.input(description="Which parked deliveries they are.")
class ParkedInput(ConnectionInput):
    delivery_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description=("The ids of the deliveries, at most 1,000. The default is all deliveries of the connection."),
    )


@strawberry.input(description="Which failing reads they are.")
class FailingReadsInput(ConnectionInput):
    read_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="The ids of the failing reads, at most 1,000. The default is all failing reads of the connection.",
    )


@strawberry.type(description="The result of a mutation of a connection.")
class ConnectionPayload(MutationPayload):
    connection: ConnectedSystem | None = strawberry.field(
        description="The connection as it is now; null after a refusal."
    )


@strawberry.type(description="The result of a mutation that gives a connection a secret.")
class ConnectionSecretPayload(ConnectionPayload):
    secret: str | None = strawberry.field(
        description="The secret, which cannot be read again. Null after a refusal, and for a repeated request."
    )


@strawberry.type(description="The result of testing a connection.")
class TestConnectionPayload(ConnectionPayload):
    problems: list[str] | None = strawberry.field(
        description=(
            "The reasons why the connection could not accept or apply deliveries now, one sentence each; empty when "
            "it could."
        )
    )


@strawberry.type(description="The result of a mutation of parked deliveries.")
class ParkedPayload(ConnectionPayload):
    count: int | None = strawberry.field(description="The number of deliveries; null after a refusal.")


@strawberry.type(description="The result of a mutation of failing reads.")
class FailingReadsPayload(ConnectionPayload):
    count: int | None = strawberry.field(description="The number of reads; null after a refusal.")


@strawberry.type(description="The result of deleting a connection.")
class DeleteConnectionPayload(MutationPayload):
    deleted_id: strawberry.ID | None = strawberry.field(description="The id of the connection that is gone.")
