"""The inputs and payloads of mutations of all kinds."""

from datetime import datetime

import strawberry

from app.graph.fields import MutationInput, MutationPayload, OnceInput
from app.interactions.graphql.enums import Level, MessageErrorType, MessageStatus
from app.interactions.graphql.message_inputs import MessageContentInput, ReceiveMessageTarget
from app.interactions.graphql.types import Interaction, Message, Note

_VERSION = "The version that the caller has read. When it is no longer current, nothing is changed: VERSION_CONFLICT."
_LATEST = (
    "The id of the latest message that the caller has seen. When a newer one has arrived, nothing is changed: "
    "NEWER_MESSAGE."
)
_KEY = (
    "The key that the message's channel gave it, 1 to 255 characters. Generated when absent. A repeated key is "
    "answered with the first message's id (AlreadyReceivedError), even when that message was deleted. A "
    "Conversation's channel is its ChannelAgent, an AgentSession's is its AiAgent; all Sessions are one channel, and "
    "so are all ChatSessions."
)


@strawberry.input
class EditInteraction(MutationInput):
    """What a mutation of an interaction takes."""

    id: strawberry.ID = strawberry.field(description="The id of the interaction, of any kind.")
    if_version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input
class _OnMessage(MutationInput):
    id: strawberry.ID = strawberry.field(description="The id of the message.")


@strawberry.input
class _UnlessNewer(EditInteraction):
    if_latest_message_id: strawberry.ID | None = strawberry.field(default=None, description=_LATEST)


@strawberry.input(description="Which interaction to close.")
class CloseInteractionInput(_UnlessNewer):
    pass


@strawberry.input(description="The messages of an interaction that have been read.")
class MarkReadInput(MutationInput):
    id: strawberry.ID = strawberry.field(description="The id of the interaction, of any kind.")
    up_to_message_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The id of the last message that was read, by arrival. The default is the latest message.",
    )


@strawberry.input
class OfInteraction(MutationInput):
    """What a mutation of an interaction takes whose version does not matter."""

    id: strawberry.ID = strawberry.field(description="The id of the interaction, of any kind.")


@strawberry.input(description="The interaction to claim, and for how long.")
class ClaimInteractionInput(EditInteraction):
    lease_seconds: int | None = strawberry.field(
        default=None,
        description="The length of the claim's lease, 1 to 86,400 seconds. The claim ends with the lease unless that "
        "is renewed. Without a lease, the claim has no time limit.",
    )


@strawberry.input(description="The interaction to assign, and its assignee.")
class AssignInteractionInput(EditInteraction):
    user_id: strawberry.ID | None = strawberry.field(description="The id of the assignee. Null assigns it to nobody.")


@strawberry.input(description="The interaction, and the team to give it to.")
class AssignTeamInput(EditInteraction):
    team_id: strawberry.ID | None = strawberry.field(
        description="The id of the team; null for no team. The borders of teams do not change this."
    )


@strawberry.input(description="The interaction to snooze, and until when.")
class SnoozeInteractionInput(_UnlessNewer):
    until: datetime = strawberry.field(description="The end of the snooze, in the future.")


@strawberry.input
class LabelInteraction(EditInteraction):
    """What a mutation of an interaction's labels takes."""

    labels: list[str] = strawberry.field(description="The labels: at most 64, each of 1 to 64 characters.")


@strawberry.input(description="How urgently an interaction needs a human.")
class RaiseAttentionInput(EditInteraction):
    level: Level = strawberry.field(default=Level.HIGH, description="The level of the attention.")
    note: str | None = strawberry.field(
        default=None, description="A note for the users who see the attention, 1 to 1,000 characters."
    )


@strawberry.input(description="A message to a customer.")
class SendMessageInput(OnceInput):
    id: strawberry.ID = strawberry.field(description="The id of the interaction, of any kind.")
    content: MessageContentInput = strawberry.field(description="The content of the message.")
    if_latest_message_id: strawberry.ID | None = strawberry.field(default=None, description=_LATEST)
    override: bool = strawberry.field(
        default=False, description="Whether to send it even when another user holds the interaction."
    )
    reference_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the message that the new one replies to, in the same interaction."
    )
    sent_at: datetime | None = strawberry.field(
        default=None,
        description="The time at which the message was sent, if it was sent earlier. A time in the future counts as "
        "now.",
    )
    message_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(description="A message of a customer.")
class ReceiveMessageInput(OnceInput):
    target: ReceiveMessageTarget = strawberry.field(description="The interaction of the message, or how to find it.")
    contents: list[MessageContentInput] = strawberry.field(description="The contents of the message, 1 to 32.")
    sent_at: datetime | None = strawberry.field(
        default=None, description="The time at which the customer sent the message. A time in the future counts as now."
    )
    imported: bool = strawberry.field(
        default=False,
        description="Whether the message is history: it counts as read, needs no answer, opens no interaction and "
        "ends no snooze. A message that is older than the interaction's latest message by more than the "
        "session window is treated the same.",
    )
    reference_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the message that the new one replies to, in the same interaction."
    )
    message_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(description="A note on an interaction.")
class AddNoteInput(OnceInput):
    id: strawberry.ID = strawberry.field(description="The id of the interaction, of any kind.")
    text: str = strawberry.field(description="The text of the note, 1 to 65,536 characters.")


@strawberry.input(description="A new text for a note.")
class EditNoteInput(MutationInput):
    id: strawberry.ID = strawberry.field(description="The id of the note.")
    text: str = strawberry.field(description="The text of the note, 1 to 65,536 characters.")


@strawberry.input(description="Which note to delete.")
class DeleteNoteInput(MutationInput):
    id: strawberry.ID = strawberry.field(description="The id of the note.")


@strawberry.input(description="A reaction to a message.")
class SetReactionInput(_OnMessage):
    reaction: str | None = strawberry.field(description="The emoji of the reaction, a single one. Null removes it.")
    of_customer: bool = strawberry.field(default=False, description="Whether the customer reacted, not the business.")


@strawberry.input(description="Why a message could not be sent or received.")
class MessageErrorInput:
    type: MessageErrorType = strawberry.field(description="The type of the error.")
    original_message: str = strawberry.field(
        description="The error text of the channel. Text beyond 4,096 characters is cut off."
    )


@strawberry.input(description="A message, by the key that its channel gave it.")
class MessageKeyInput:
    channel_agent_id: strawberry.ID = strawberry.field(description="The id of the Conversation's ChannelAgent.")
    message_key: str = strawberry.field(description="The key of the message.")


@strawberry.input(description="The delivery status of a message.")
class ReportMessageStatusInput(MutationInput):
    id: strawberry.ID | None = strawberry.field(
        default=None, description=("The id of the message. Give this or its key.")
    )
    key: MessageKeyInput | None = strawberry.field(
        default=None, description=("The key of the message. Give this or its id.")
    )
    status: MessageStatus = strawberry.field(description="The status of the message.")
    error: MessageErrorInput | None = strawberry.field(
        default=None, description="The error of the message, with the status ERROR only."
    )


@strawberry.input(description="Which message to delete.")
class DeleteMessageInput(_OnMessage):
    pass


@strawberry.type
class _Payload(MutationPayload):
    interaction: Interaction | None = strawberry.field(
        description="The interaction as it is now; null after a refusal."
    )


@strawberry.type(description="The result of a mutation of an interaction.")
class InteractionPayload(_Payload):
    pass


@strawberry.type(description="The result of a mutation of a message.")
class MessagePayload(_Payload):
    message: Message | None = strawberry.field(description="The message as it is now; null after a refusal.")


@strawberry.type(description="The result of a mutation of a note.")
class NotePayload(_Payload):
    note: Note | None = strawberry.field(description="The note as it is now; null after a refusal.")


@strawberry.type
class _DeletePayload(_Payload):
    deleted_id: strawberry.ID | None = strawberry.field(description="The id of the deleted object.")


@strawberry.type(description="The result of deleting a message.")
class DeleteMessagePayload(_DeletePayload):
    pass


@strawberry.type(description="The result of deleting a note.")
class DeleteNotePayload(_DeletePayload):
    pass
