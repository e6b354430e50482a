"""The mutations of users and their API keys."""

from collections.abc import Iterable
from enum import Enum
from typing import Any

import strawberry

from app.directory import service
from app.directory.graphql.inputs import (
    CreateApiKeyInput,
    CreateApiKeyPayload,
    CreateStreamTicketInput,
    CreateStreamTicketPayload,
    CreateUserInput,
    EndSessionsInput,
    RevokeApiKeyInput,
    RevokeApiKeyPayload,
    SetPresenceInput,
    UnlinkIdentityInput,
    UpdateUserInput,
    UserPayload,
)
from app.directory.model import ApiKey, UserChanges
from app.directory.model.ticket import StreamTicket
from app.graph.context import Info
from app.graph.fields import EditInput, mutation
from app.graph.inputs import changes

_FIELDS = ("full_name", "email", "roles", "permissions", "person_id", "type", "is_service")


def _with_secret(made: tuple[ApiKey, str | None]) -> dict[str, object]:
    key, secret = made
    return {"api_key": key.id, "secret": secret}


def _ticket(made: tuple[StreamTicket, str]) -> dict[str, object]:
    ticket, secret = made
    return {"ticket": secret, "begins_before": ticket.begins_before, "ends_at": ticket.ends_at}


def _texts(permissions: Iterable[Enum]) -> list[str]:
    """Permissions in the form of the model: `session:read`."""
    return [str(each.value) for each in permissions]


def _changes(given: CreateUserInput | UpdateUserInput, *names: str) -> UserChanges:
    found = changes(UserChanges, given, *names)
    held: Any = found.get("permissions")
    if held is not None:
        found["permissions"] = _texts(held)
    return found


@strawberry.type
class UserMutation:
    @mutation(description="Create a user. Needs `users:manage`.", input="The user to create.")
    async def create_user(self, info: Info, input: CreateUserInput) -> UserPayload:
        return await info.context.perform(
            input,
            "user",
            service.create_user,
            {"name": input.name, "login": input.login, **_changes(input, *_FIELDS)},
            idempotency_key=input.idempotency_key,
        )

    @mutation(description="Change a user. Needs `users:manage`.", input="The user to change, and the fields to change.")
    async def update_user(self, info: Info, input: UpdateUserInput) -> UserPayload:
        return await info.context.perform(
            input,
            "user",
            service.update_user,
            input.id,
            _changes(input, "name", "login", *_FIELDS),
            if_version=input.if_version,
        )

    @mutation(
        description="Deactivate a user: all keys of the user are refused from now on. Needs `users:manage`.",
        input="The user to deactivate.",
    )
    async def deactivate_user(self, info: Info, input: EditInput) -> UserPayload:
        return await info.context.perform(input, "user", service.deactivate_user, input.id, if_version=input.if_version)

    @mutation(
        description="Activate a deactivated user: the user's keys are accepted again. Needs `users:manage`.",
        input="The user to activate.",
    )
    async def activate_user(self, info: Info, input: EditInput) -> UserPayload:
        return await info.context.perform(input, "user", service.activate_user, input.id, if_version=input.if_version)

    @mutation(
        description="Remove the link of a person at an identity provider to a user. At the next sign-in, the person "
        "counts as new. Needs `users:manage`.",
        input="The identity to unlink.",
    )
    async def unlink_identity(self, info: Info, input: UnlinkIdentityInput) -> UserPayload:
        return await info.context.perform(input, "user", service.remove_identity, input.id)

    @mutation(
        description="End the sessions of the caller or, with `users:manage`, of any user: its sockets and streams "
        "close, and access tokens and tickets from before are refused. With `sessionIds`, only these sessions end, "
        "with their tickets. API keys stay valid. A key with narrowed permissions needs `users:manage`.",
        input="The sessions to end.",
    )
    async def end_sessions(self, info: Info, input: EndSessionsInput) -> UserPayload:
        return await info.context.perform(
            input, "user", service.end_sessions, user=input.user_id, sessions=input.session_ids
        )

    @mutation(
        description="Set whether chats may be offered to the caller or, with `users:manage`, to any user. A key with "
        "narrowed permissions needs a permission to write.",
        input="The user, and whether the user is present.",
    )
    async def set_presence(self, info: Info, input: SetPresenceInput) -> UserPayload:
        return await info.context.perform(input, "user", service.set_presence, input.present, user=input.user_id)

    @mutation(
        description="Create an API key for the caller or, with `users:manage`, for any user. The secret is returned"
        " only here. A key with narrowed permissions needs `users:manage`. The new key has at most the "
        "permissions of the caller's key and ends no later.",
        input="The key to create.",
    )
    async def create_api_key(self, info: Info, input: CreateApiKeyInput) -> CreateApiKeyPayload:
        return await info.context.perform(
            input,
            _with_secret,
            service.create_api_key,
            input.name,
            user=input.user_id,
            permissions=None if input.permissions is None else _texts(input.permissions),
            expires_at=input.expires_at,
            idempotency_key=input.idempotency_key,
        )

    @mutation(
        description="Revoke an API key permanently: a key of the caller's user or, with `users:manage`, any key. A "
        "key with narrowed permissions and without `users:manage` can revoke only itself.",
        input="The key to revoke.",
    )
    async def revoke_api_key(self, info: Info, input: RevokeApiKeyInput) -> RevokeApiKeyPayload:
        return await info.context.perform(
            input, "api_key", service.revoke_api_key, input.id, include_made=input.include_made
        )

    @mutation(
        description="Create a ticket for a client that cannot send headers. It begins one subscription over "
        "Server-Sent Events within 60 seconds, and resumes it.",
        input="The ticket to create.",
    )
    async def create_stream_ticket(self, info: Info, input: CreateStreamTicketInput) -> CreateStreamTicketPayload:
        return await info.context.perform(input, _ticket, service.create_stream_ticket)
