"""Sessions in the graph."""

from uuid import UUID

import strawberry
from strawberry import Maybe

from app.graph.context import Info
from app.graph.enums import described
from app.graph.fields import (
    PAGING,
    Connection,
    MutationInput,
    MutationPayload,
    Node,
    OnceInput,
    argument,
    edge,
    mutation,
    root,
)
from app.graph.inputs import changes
from app.graph.slice import Slice
from app.interactions.graphql import Interaction
from app.kinds.session import service
from app.kinds.session.model import ContentType, SessionChanges, Suggestion
from app.kinds.session.reads import MAPPINGS, ROOTS

described(
    ContentType,
    "The type of a suggested message's content.",
    {"TEXT": "Plain text."},
    name="SuggestedMessageContentType",
)


@strawberry.type(description="A message that users can pick to send in a Session.")
class SuggestedMessage(Node):
    suggestion_key: UUID = strawberry.field(description="The key of the suggested message in its own system.")
    remote_id: str | None = strawberry.field(
        description="The id of the suggested message in the system that suggested it."
    )
    content: str = strawberry.field(description="The content of the suggested message.")
    content_type: ContentType = strawberry.field(description="The content type of the suggested message.")
    selected_count: int = strawberry.field(description="The number of times that the suggested message was picked.")


@strawberry.type(description="An exchange of a customer with a messaging bot that asks humans for help.")
class Session(Interaction, Node):
    session_key: UUID = strawberry.field(description="The key of the Session in its own system.")
    need_attention: bool = strawberry.field(
        description="Whether the customer of the Session needs a human. While true, the bot is paused."
    )
    tags: list[str] = strawberry.field(description="The tags of the Session.")
    topics: list[str] = strawberry.field(description="The topics of the Session.")
    suggested_messages: Connection[SuggestedMessage] = edge(
        description="The messages that are suggested in the Session, in their order.", **PAGING
    )


@strawberry.input(description="A message to suggest.")
class SuggestedMessageInput:
    remote_id: str | None = strawberry.field(
        default=None,
        description="The caller's id of the suggested message, 1 to 255 characters. A suggested message whose id was "
        "already in the list keeps its count.",
    )
    content: str = strawberry.field(description="The content of the suggested message, 1 to 10,000 characters.")
    content_type: ContentType = strawberry.field(
        default=ContentType.TEXT, description="The content type of the suggested message."
    )


@strawberry.input(
    description="The changes to a Session. An absent field keeps its value. Give either id or customerKey."
)
class UpdateSessionInput(MutationInput):
    id: strawberry.ID | None = strawberry.field(default=None, description="The id of the Session.")
    customer_key: str | None = strawberry.field(
        default=None, description="The key of the customer whose current Session to change."
    )
    if_version: int | None = strawberry.field(
        default=None,
        description="The version that the caller has read. When it is no longer current, nothing is changed: "
        "VERSION_CONFLICT.",
    )
    need_attention: Maybe[bool] = strawberry.field(
        description="Whether the customer of the Session needs a human: true pauses the bot, false resumes it."
    )
    tags: Maybe[list[str] | None] = strawberry.field(
        description="All tags of the Session, at most 100 of up to 255 characters. Null means none."
    )
    topics: Maybe[list[str] | None] = strawberry.field(
        description="All topics of the Session, at most 100 of up to 255 characters. Null means none."
    )
    suggested_messages: Maybe[list[SuggestedMessageInput] | None] = strawberry.field(
        description="All messages to suggest in the Session, at most 100. Null means none."
    )


@strawberry.input(description="The suggested message that was picked.")
class UseSuggestedMessageInput(OnceInput):
    id: strawberry.ID = strawberry.field(description="The id of the suggested message.")


@strawberry.type
class _Payload(MutationPayload):
    session: Session | None = strawberry.field(description="The Session as it is now; null after a refusal.")


@strawberry.type(description="The result of a mutation of a Session.")
class SessionPayload(_Payload):
    pass


@strawberry.type(description="The result of using a suggested message.")
class SuggestedMessagePayload(_Payload):
    suggested_message: SuggestedMessage | None = strawberry.field(
        description="The suggested message as it is now; null after a refusal."
    )


@strawberry.type
class SessionQuery:
    session: Session | None = root(
        description="The Session with the key in its system. Needs `session:read`.",
        session_key=argument(UUID, "The key of the Session in its own system."),
    )
    current_session: Session | None = root(
        description="The current Session of a customer: the latest one that is flagged or has a message of the last"
        " two hours (a setting). Null without one. Needs `session:read`.",
        customer_key=argument(str, "The key of the customer."),
    )


def _changes(given: UpdateSessionInput) -> SessionChanges:
    found = changes(SessionChanges, given, "need_attention", "tags", "topics")
    if given.suggested_messages is not None:
        found["suggested_messages"] = [
            Suggestion(remote_id=item.remote_id, content=item.content, content_type=item.content_type)
            for item in given.suggested_messages.value or ()
        ]
    return found


@strawberry.type
class SessionMutation:
    @mutation(
        description="Change a Session. NOT_FOUND when the customer has no current one. Needs `session:write`.",
        input="The Session to change, and the fields to change.",
    )
    async def update_session(self, info: Info, input: UpdateSessionInput) -> SessionPayload:
        return await info.context.perform(
            input,
            "session",
            service.update,
            _changes(input),
            ref=input.id,
            customer_key=input.customer_key,
            if_version=input.if_version,
        )

    @mutation(
        description="Count a use of a suggested message. Needs `session:write`.",
        input="The suggested message that was used.",
    )
    async def use_suggested_message(self, info: Info, input: UseSuggestedMessageInput) -> SuggestedMessagePayload:
        return await info.context.perform(
            input, dict, service.use_suggested_message, input.id, idempotency_key=input.idempotency_key
        )


SLICE = Slice(query=SessionQuery, mutation=SessionMutation, mappings=MAPPINGS, roots=ROOTS)
"""What the kind adds to the graph."""
