"""The mutations of users and their API keys."""

from typing import Annotated

import strawberry

from app.directory import service
from app.directory.graphql.inputs import (
    CreateApiKeyInput,
    CreateApiKeyPayload,
    CreateUserInput,
    RevokeApiKeyInput,
    RevokeApiKeyPayload,
    SetPresenceInput,
    UpdateUserInput,
    UserInput,
    UserPayload,
)
from app.directory.model import ApiKey, UserChanges
from app.graph.context import Info
from app.graph.fields import mutation
from app.graph.inputs import changes

_FIELDS = ("full_name", "email", "roles", "permissions", "person_id", "type", "is_service")
_What = strawberry.argument(description="What to do.")


def _with_secret(made: tuple[ApiKey, str | None]) -> dict[str, object]:
    key, secret = made
    return {"api_key": key.id, "secret": secret}


@strawberry.type
class UserMutation:
    @mutation(description="Make a user. Needs `users:manage`.")
    async def create_user(self, info: Info, input: Annotated[CreateUserInput, _What]) -> UserPayload:
        return await info.context.perform(
            input,
            "user",
            service.create_user,
            {"name": input.name, "login": input.login, **changes(UserChanges, input, *_FIELDS)},
            idempotency_key=input.idempotency_key,
        )

    @mutation(description="Change a user. Needs `users:manage`.")
    async def update_user(self, info: Info, input: Annotated[UpdateUserInput, _What]) -> UserPayload:
        return await info.context.perform(
            input,
            "user",
            service.update_user,
            input.id,
            changes(UserChanges, input, "name", "login", *_FIELDS),
            if_version=input.if_version,
        )

    @mutation(description="Let none of a user's keys in any more. Needs `users:manage`.")
    async def deactivate_user(self, info: Info, input: Annotated[UserInput, _What]) -> UserPayload:
        return await info.context.perform(input, "user", service.deactivate_user, input.id, if_version=input.if_version)

    @mutation(description="Let a user's keys in again. Needs `users:manage`.")
    async def activate_user(self, info: Info, input: Annotated[UserInput, _What]) -> UserPayload:
        return await info.context.perform(input, "user", service.activate_user, input.id, if_version=input.if_version)

    @mutation(
        description="Say whether chats may be offered to the caller, or with `users:manage` to any user. A narrowed "
        "key needs a permission to write."
    )
    async def set_presence(self, info: Info, input: Annotated[SetPresenceInput, _What]) -> UserPayload:
        return await info.context.perform(input, "user", service.set_presence, input.present, user=input.user_id)

    @mutation(
        description="Make an API key for the caller, or with `users:manage` for any user; its secret is given once. "
        "A narrowed key needs `users:manage`. The new one allows at most what the caller's allows and ends with it."
    )
    async def create_api_key(self, info: Info, input: Annotated[CreateApiKeyInput, _What]) -> CreateApiKeyPayload:
        return await info.context.perform(
            input,
            _with_secret,
            service.create_api_key,
            input.name,
            user=input.user_id,
            permissions=input.permissions,
            expires_at=input.expires_at,
            idempotency_key=input.idempotency_key,
        )

    @mutation(
        description="Revoke an API key for good: the caller's own user's, or with `users:manage` any. A narrowed key "
        "without `users:manage` revokes only itself."
    )
    async def revoke_api_key(self, info: Info, input: Annotated[RevokeApiKeyInput, _What]) -> RevokeApiKeyPayload:
        return await info.context.perform(
            input, "api_key", service.revoke_api_key, input.id, include_made=input.include_made
        )
