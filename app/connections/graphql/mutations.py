"""The mutations of connections."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import strawberry

from app.connections import service
from app.connections.graphql.inputs import (
    ConnectionInput,
    ConnectionPayload,
    ConnectionSecretPayload,
    CreateConnectionInput,
    DeleteConnectionPayload,
    FailingReadsInput,
    FailingReadsPayload,
    OutboxEntryInput,
    OutboxEntryPayload,
    ParkedInput,
    ParkedPayload,
    RotateConnectionSecretInput,
    TestConnectionPayload,
    UpdateConnectionInput,
)
from app.connections.model import PREFIX, ConnectedSystem, NewConnection
from app.connections.service import entries
from app.connections.service.parked import Handled
from app.connections.service.systems import Connectors, Made, Tried
from app.graph.context import Info
from app.graph.fields import mutation


def _with_secret(made: Made) -> Mapping[str, object]:
    return {"connection": made.system.id, "secret": made.secret}


def _tried(found: Tried) -> Mapping[str, object]:
    return {"connection": found.system.id, "problems": list(found.problems)}


def _handled(found: Handled) -> Mapping[str, object]:
    return {"connection": found.connection, "count": found.number}


def _of_entry(found: entries.Handled) -> Mapping[str, object]:
    return {"interaction": found.interaction}


def _deleted(gone: ConnectedSystem) -> Mapping[str, object]:
    return {"deleted_id": f"{PREFIX}_{gone.id}"}


def _new(input: CreateConnectionInput) -> NewConnection:
    given: Any = input.settings
    return NewConnection(
        system=input.system.value,
        name=input.name,
        settings={} if given is None else given,
        secret=input.secret,
        address=input.address,
        credential=input.credential,
    )


def connection_mutation(connectors: Connectors) -> type:
    """The mutations, over these connectors."""

    @strawberry.type
    class ConnectionMutation:
        @mutation(
            description="Create a connection to another system. The secret is returned only here. Needs "
            "`connections:manage`.",
            input="The connection to create.",
        )
        async def create_connection(self, info: Info, input: CreateConnectionInput) -> ConnectionSecretPayload:
            return await info.context.perform(
                input,
                _with_secret,
                service.create_connection,
                connectors,
                _new(input),
                idempotency_key=input.idempotency_key,
            )

        @mutation(
            description="Rename a connection, or change its system's address, token or settings. Needs "
            "`connections:manage`.",
            input="The connection to change, and the fields to change.",
        )
        async def update_connection(self, info: Info, input: UpdateConnectionInput) -> ConnectionPayload:
            return await info.context.perform(
                input,
                "connection",
                service.update_connection,
                connectors,
                input.id,
                input.name,
                address=input.address,
                credential=input.credential,
                settings=input.settings,
                allow_missing=input.allow_missing,
                if_version=input.if_version,
            )

        @mutation(
            description="Check whether a connection could accept and apply deliveries now, and whether its system was "
            "reached the last time. Nothing is sent. Needs `connections:manage`.",
            input="The connection to test.",
        )
        async def test_connection(self, info: Info, input: ConnectionInput) -> TestConnectionPayload:
            return await info.context.perform(input, _tried, service.try_connection, connectors, input.id)

        @mutation(
            description="Pause a connection: deliveries are accepted, and wait until it is resumed. Needs "
            "`connections:manage`.",
            input="The connection to pause.",
        )
        async def pause_connection(self, info: Info, input: ConnectionInput) -> ConnectionPayload:
            return await info.context.perform(input, "connection", service.pause_connection, input.id)

        @mutation(
            description="Resume a paused connection: waiting deliveries are applied. Needs `connections:manage`.",
            input="The connection to resume.",
        )
        async def resume_connection(self, info: Info, input: ConnectionInput) -> ConnectionPayload:
            return await info.context.perform(input, "connection", service.resume_connection, input.id)

        @mutation(
            description="Give a connection a new secret, which is returned only here. Needs `connections:manage`.",
            input="The connection, and the secret.",
        )
        async def rotate_connection_secret(
            self, info: Info, input: RotateConnectionSecretInput
        ) -> ConnectionSecretPayload:
            return await info.context.perform(
                input,
                _with_secret,
                service.rotate_secret,
                input.id,
                secret=input.secret,
                former_for=timedelta(seconds=input.former_for_seconds),
            )

        @mutation(
            description="Repeat a change that the connected system refused, or whose outcome is not known. A message "
            "that did arrive is then sent twice.",
            input="The entry of the outbox.",
        )
        async def retry_outbox_entry(self, info: Info, input: OutboxEntryInput) -> OutboxEntryPayload:
            return await info.context.perform(input, _of_entry, service.retry_entry, input.id)

        @mutation(
            description="Give up a change that the connected system refused, or whose outcome is not known.",
            input="The entry of the outbox.",
        )
        async def drop_outbox_entry(self, info: Info, input: OutboxEntryInput) -> OutboxEntryPayload:
            return await info.context.perform(input, _of_entry, service.drop_entry, input.id)

        @mutation(
            description="Apply parked deliveries again. Needs `connections:manage`.",
            input="The connection, and which of its parked deliveries.",
        )
        async def replay_parked(self, info: Info, input: ParkedInput) -> ParkedPayload:
            return await info.context.perform(
                input, _handled, service.replay_parked, input.id, _texts(input.delivery_ids)
            )

        @mutation(
            description="Erase parked deliveries permanently. Needs `connections:manage`.",
            input="The connection, and which of its parked deliveries.",
        )
        async def drop_parked(self, info: Info, input: ParkedInput) -> ParkedPayload:
            return await info.context.perform(
                input, _handled, service.drop_parked, input.id, _texts(input.delivery_ids)
            )

        @mutation(
            description="Read again at once what could not be read or applied after several tries. Needs "
            "`connections:manage`.",
            input="The connection, and which of its failing reads.",
        )
        async def retry_reads(self, info: Info, input: FailingReadsInput) -> FailingReadsPayload:
            return await info.context.perform(input, _handled, service.retry_reads, input.id, _texts(input.read_ids))

        @mutation(
            description="Delete a connection with its secrets and all its deliveries that were not applied. Its "
            "interactions stay. Needs `connections:manage`.",
            input="The connection to delete.",
        )
        async def delete_connection(self, info: Info, input: ConnectionInput) -> DeleteConnectionPayload:
            return await info.context.perform(input, _deleted, service.delete_connection, input.id)

    return ConnectionMutation


def _texts(ids: list[strawberry.ID] | None) -> list[str] | None:
    return None if ids is None else [str(each) for each in ids]
