"""The errors of mutations of interactions."""

from datetime import datetime

import strawberry

from app.directory.graphql import User
from app.graph.fields import UserError
from app.interactions.graphql.enums import ReasonName
from app.interactions.graphql.types import Message
from app.selection.mapping import ObjectMap, One


@strawberry.type(description="Another user holds the interaction.")
class AlreadyClaimedError(UserError):
    claimed_by: User | None = strawberry.field(description="The holder of the claim.")
    claimed_until: datetime | None = strawberry.field(
        description="The time at which the lease of the claim ends; null when it has none."
    )


@strawberry.type(description="A message with this key was recorded before.")
class AlreadyReceivedError(UserError):
    received_message_id: strawberry.ID = strawberry.field(description="The id of the first message with the key.")
    received_message: Message | None = strawberry.field(
        description="The first message with the key; null when it was deleted."
    )


@strawberry.type(description="A message arrived after the latest one that the caller has seen.")
class NewerMessageError(UserError):
    newer_message: Message | None = strawberry.field(description="The latest message.")


@strawberry.type(description="The attention has reasons that clearing cannot end.")
class NotClearableError(UserError):
    reasons: list[ReasonName] = strawberry.field(description="The reasons of the attention that remain.")


ERROR_TYPES: tuple[type, ...] = (AlreadyClaimedError, AlreadyReceivedError, NewerMessageError, NotClearableError)

ERROR_MAPPINGS = (
    ObjectMap("AlreadyClaimedError", {"claimedBy": One("User", key="claimed_by")}),
    ObjectMap("NewerMessageError", {"newerMessage": One("Message", key="message_id")}),
    ObjectMap("AlreadyReceivedError", {"receivedMessage": One("Message", key="received_message")}),
)
