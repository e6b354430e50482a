"""Conversations and channel agents in the graph."""

from datetime import datetime

import strawberry
from strawberry import Maybe

from app.directory.graphql import User
from app.directory.model import Channel
from app.graph.context import Info
from app.graph.enums import described
from app.graph.fields import (
    PAGING,
    Connection,
    EditInput,
    MutationPayload,
    Node,
    OnceInput,
    argument,
    mutation,
    root,
)
from app.graph.inputs import changes
from app.graph.slice import Slice
from app.interactions.graphql import Interaction, Message
from app.interactions.graphql.commands import viewer_may
from app.interactions.service.messages import Posted
from app.kinds.conversation import service
from app.kinds.conversation.model.channel_agent import CHANGEABLE, CREATABLE, ChannelAgentChanges
from app.kinds.conversation.model.commands import ConversationCommand
from app.kinds.conversation.model.conversation import PREFIX, Status
from app.kinds.conversation.model.conversation import Conversation as Stored
from app.kinds.conversation.reads import MAPPINGS, ROOTS
from app.kinds.conversation.service.conversations import ConversationChanges

described(
    Status,
    "The progress of the work on a conversation.",
    {
        "TO_DO": "Nobody has started to work on it.",
        "IN_PROGRESS": "Somebody is working on it.",
        "DONE": "Done, until the customer writes again.",
    },
    name="ConversationStatus",
)


@strawberry.type(description="An account of the business on a messenger channel, such as a WhatsApp number.")
class ChannelAgent(Node):
    channel: Channel = strawberry.field(description="The messenger service of the channel agent.")
    display_id: str = strawberry.field(description="The id of the channel agent, unique within its channel.")
    name: str = strawberry.field(description="The name of the channel agent.")
    in_sync: bool = strawberry.field(
        description="Whether the channel agent is connected. Messages through a disconnected one fail."
    )
    unread_conversations_count: int = strawberry.field(
        description="The number of the channel agent's conversations with an unread message of the customer."
    )
    version: int = strawberry.field(description="The number of edits of the channel agent, from 1.")
    created_at: datetime = strawberry.field(description="The time of the channel agent's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the channel agent.")


@strawberry.type(description="An exchange of a customer with a channel agent in a messenger.")
class Conversation(Interaction, Node):
    conversation_id: int = strawberry.field(description="The number of the conversation in its own system.")
    channel: Channel = strawberry.field(description="The messenger service of the conversation.")
    status: Status = strawberry.field(description="The status of the conversation.")
    snooze_until: datetime | None = strawberry.field(description="The end of the conversation's snooze.")
    channel_agent: ChannelAgent | None = strawberry.field(
        description="The channel agent of the conversation: the contract's `agent`."
    )
    user: User | None = strawberry.field(description="The user of the conversation: its assignee.")
    last_customer_reply_from: datetime | None = strawberry.field(
        description=(
            "The time of the customer's latest message of the conversation. It is kept even when that message is "
            "deleted."
        )
    )
    reply_until: datetime | None = strawberry.field(
        description="The end of the conversation's reply window, which on WhatsApp is open for 24 hours after a "
        "message of the customer. Null on WhatsApp when the customer never wrote, and on channels "
        "without a reply window."
    )
    reply_possible: bool = strawberry.field(description="Whether the channel would deliver a free-form message now.")
    customer_interaction_required: bool = strawberry.field(
        description="Whether the conversation waits for the customer to answer a restart."
    )


# ---- inputs and payloads ------------------------------------------------------------------------------------------


@strawberry.input(description="The changes to a conversation. An absent field keeps its value.")
class UpdateConversationInput(EditInput):
    status: Maybe[Status] = strawberry.field(description="The status of the conversation.")
    user_id: Maybe[strawberry.ID | None] = strawberry.field(
        description="The id of the user of the conversation; null unassigns."
    )


@strawberry.input(description="Which conversation to restart.")
class RestartConversationInput(EditInput, OnceInput):
    text: str | None = strawberry.field(
        default=None, description="The text of the message to the customer. The default is a greeting."
    )
    override: bool = strawberry.field(
        default=False, description="Whether to send it even when another user holds the conversation."
    )


@strawberry.input(description="Which conversation to delete.")
class DeleteConversationInput(EditInput):
    pass


@strawberry.type(description="The result of a mutation of a conversation.")
class ConversationPayload(MutationPayload):
    conversation: Conversation | None = strawberry.field(
        description="The conversation as it is now; null after a refusal."
    )


@strawberry.type(description="The result of restarting a conversation.")
class RestartConversationPayload(MutationPayload):
    conversation: Conversation | None = strawberry.field(
        description="The conversation as it is now; null after a refusal."
    )
    message: Message | None = strawberry.field(description="The message of the restart; null after a refusal.")


@strawberry.type(description="The result of deleting a conversation.")
class DeleteConversationPayload(MutationPayload):
    deleted_id: strawberry.ID | None = strawberry.field(description="The id of the conversation that is gone.")


@strawberry.input(description="A new channel agent.")
class CreateChannelAgentInput(OnceInput):
    channel: Channel = strawberry.field(description="The messenger service of the channel agent.")
    display_id: str = strawberry.field(
        description="The id of the channel agent, 1 to 255 characters; unique within its channel."
    )
    name: str = strawberry.field(description="The name of the channel agent, 1 to 255 characters.")
    in_sync: bool = strawberry.field(default=True, description="Whether the channel agent is connected.")


@strawberry.input(description="The changes to a channel agent. An absent field keeps its value.")
class UpdateChannelAgentInput(EditInput):
    name: Maybe[str] = strawberry.field(description="The name of the channel agent, 1 to 255 characters.")
    in_sync: Maybe[bool] = strawberry.field(description="Whether the channel agent is connected.")


@strawberry.type(description="The result of a mutation of a channel agent.")
class ChannelAgentPayload(MutationPayload):
    channel_agent: ChannelAgent | None = strawberry.field(
        description="The channel agent as it is now; null after a refusal."
    )


# ---- root fields --------------------------------------------------------------------------------------------------


@strawberry.type
class ConversationQuery:
    conversation: Conversation | None = root(
        description="The conversation with the number in its system. Needs `conversation:read`.",
        conversation_id=argument(int, "The number of the conversation in its own system."),
    )
    channel_agent: ChannelAgent | None = root(
        description="The channel agent with an id. Needs `conversation:read`.",
        id=argument(strawberry.ID, "The id of the channel agent."),
    )
    channel_agents: Connection[ChannelAgent] | None = root(
        description="The channel agents, in the order in which they were made. Needs `conversation:read`.",
        channel=argument(Channel | None, "The messenger service of the channel agents."),
        **PAGING,
    )


def _restarted(posted: Posted) -> dict[str, object]:
    return {"conversation": posted.interaction, "message": posted.message}


def _deleted(gone: Stored) -> dict[str, object]:
    return {"deleted_id": f"{PREFIX}_{gone.id}"}


@strawberry.type
class ConversationMutation:
    @mutation(
        description="Change the status or the user of a conversation. Needs `conversation:write`.",
        input="The conversation to change, and the fields to change.",
    )
    async def update_conversation(self, info: Info, input: UpdateConversationInput) -> ConversationPayload:
        return await info.context.perform(
            input,
            "conversation",
            service.update_conversation,
            input.id,
            changes(ConversationChanges, input, "status", "user_id"),
            if_version=input.if_version,
        )

    @mutation(
        description="Write to a WhatsApp customer after the reply window has closed. The customer has to answer "
        "before anything else can be sent. Needs `conversation:write`.",
        input="The conversation to restart, and the message.",
    )
    async def restart_conversation(self, info: Info, input: RestartConversationInput) -> RestartConversationPayload:
        return await info.context.perform(
            input,
            _restarted,
            service.restart_conversation,
            input.id,
            text=input.text,
            override=input.override,
            if_version=input.if_version,
            idempotency_key=input.idempotency_key,
        )

    @mutation(
        description="Erase a conversation, its messages and its notes. Needs `conversation:write`.",
        input="The conversation to erase.",
    )
    async def delete_conversation(self, info: Info, input: DeleteConversationInput) -> DeleteConversationPayload:
        return await info.context.perform(
            input, _deleted, service.delete_conversation, input.id, if_version=input.if_version
        )

    @mutation(description="Create a channel agent. Needs `conversation:write`.", input="The channel agent to create.")
    async def create_channel_agent(self, info: Info, input: CreateChannelAgentInput) -> ChannelAgentPayload:
        given = {name: getattr(input, name) for name in CREATABLE}
        return await info.context.perform(
            input, "channel_agent", service.create_channel_agent, given, idempotency_key=input.idempotency_key
        )

    @mutation(
        description="Change a channel agent. Needs `conversation:write`.",
        input="The channel agent to change, and the fields to change.",
    )
    async def update_channel_agent(self, info: Info, input: UpdateChannelAgentInput) -> ChannelAgentPayload:
        return await info.context.perform(
            input,
            "channel_agent",
            service.update_channel_agent,
            input.id,
            changes(ChannelAgentChanges, input, *CHANGEABLE),
            if_version=input.if_version,
        )


SLICE = Slice(
    query=ConversationQuery,
    mutation=ConversationMutation,
    mappings=MAPPINGS,
    roots=ROOTS,
    additions=viewer_may({ConversationCommand.RESTART: "restart the conversation"}),
)
"""What the kind adds to the graph."""
