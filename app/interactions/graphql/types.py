"""The types that all kinds of interaction share in the graph."""

from datetime import datetime
from typing import Annotated

import strawberry

from app.directory.graphql import PRESENT, SEARCH_USERS, Customer, Team, User
from app.directory.graphql.enums import TopicName
from app.directory.graphql.history import NEWEST_ENTRIES, FieldChange, HistoryOrder
from app.graph.fields import PAGING, Connection, Node, argument, edge
from app.graph.scalars import Long
from app.interactions.graphql.contents import MessageContent
from app.interactions.graphql.enums import (
    KindName,
    Level,
    MessageAuthor,
    MessageErrorType,
    MessageSource,
    MessageStatus,
    ReasonName,
    ReplyBlock,
    SenderRole,
    State,
)
from app.interactions.graphql.ordering import (
    NEWEST_NOTES,
    OLDEST_MESSAGES,
    MessageOrder,
    NoteOrder,
)


@strawberry.type(description="Whether, why, since when and until when an interaction needs a human.")
class Attention:
    needed: bool = strawberry.field(description="Whether the interaction needs a human.")
    reason: ReasonName | None = strawberry.field(description="The most urgent reason of the attention.")
    reasons: list[ReasonName] = strawberry.field(description="All reasons of the attention.")
    level: Level | None = strawberry.field(description="The level of the attention: that of its most urgent reason.")
    note: str | None = strawberry.field(description="The note of the user who raised the attention.")
    since: datetime | None = strawberry.field(description="The time since which a human has been needed.")
    deadline: datetime | None = strawberry.field(description="The time by which a human has to act.")
    acknowledged_by: User | None = strawberry.field(description="The user who acknowledged the attention.")
    acknowledged_at: datetime | None = strawberry.field(description="The time of the acknowledgement.")
    claimed_by: User | None = strawberry.field(description="The user who has claimed the interaction.")
    claimed_until: datetime | None = strawberry.field(
        description="The time at which the lease of the claim ends; null when it has none."
    )
    waiting_seconds: int | None = strawberry.field(description="The whole seconds since a human has been needed.")
    queue_key: str | None = strawberry.field(
        description="The sort key of the interaction in the attention queue: compare keys as strings, by code "
        "units; the smallest comes first. Null when no human is needed."
    )


@strawberry.type(description="What the caller may do with an interaction now. The mutations follow the same rules.")
class ViewerCan:
    claim: bool = strawberry.field(description="Whether the caller may claim the interaction.")
    release: bool = strawberry.field(description="Whether the caller may release the interaction.")
    assign: bool = strawberry.field(description="Whether the caller may assign the interaction.")
    close: bool = strawberry.field(description="Whether the caller may close the interaction.")
    reopen: bool = strawberry.field(description="Whether the caller may reopen the interaction.")
    snooze: bool = strawberry.field(description="Whether the caller may snooze the interaction.")
    unsnooze: bool = strawberry.field(description="Whether the caller may end the snooze of the interaction.")
    reply: bool = strawberry.field(
        description="Whether the caller may send a message to the interaction's customer: the caller has the "
        "permission, the message would be delivered, and no other user holds the interaction."
    )
    reply_blocked_by: ReplyBlock | None = strawberry.field(
        description="The reason why the caller cannot reply; null when it can."
    )
    receive: bool = strawberry.field(description="Whether the caller may record a message of the customer.")
    mark_read: bool = strawberry.field(description="Whether the caller may mark the interaction's messages as read.")
    note: bool = strawberry.field(description="Whether the caller may add notes to the interaction.")
    type: bool = strawberry.field(description="Whether the caller may show that they are typing.")
    assign_team: bool = strawberry.field(description="Whether the caller may give the interaction to a team.")
    label: bool = strawberry.field(description="Whether the caller may change the labels of the interaction.")
    raise_attention: bool = strawberry.field(description="Whether the caller may raise the attention.")
    clear_attention: bool = strawberry.field(description="Whether the caller may try to clear the attention.")
    acknowledge: bool = strawberry.field(description="Whether the caller may acknowledge the attention.")
    react: bool = strawberry.field(description="Whether the caller may react to messages of the interaction.")
    report_status: bool = strawberry.field(description="Whether the caller may report the status of messages.")
    update: bool = strawberry.field(description="Whether the caller may change the interaction's own fields.")
    resume_bot: bool = strawberry.field(description="Whether the caller may return the interaction to its bot.")
    delete: bool = strawberry.field(description="Whether the caller may delete the interaction.")


@strawberry.type(description="A user who is viewing an interaction.")
class InteractionViewer:
    user: User | None = strawberry.field(description="The viewing user.")
    until: datetime = strawberry.field(
        description=("The time until which the user counts as viewing. It is extended while the user keeps viewing.")
    )


@strawberry.interface(description="A conversation with one customer that may need a human, in any of the four systems.")
class Interaction(Node):
    kind: KindName = strawberry.field(description="The kind of the interaction.")
    state: State = strawberry.field(description="The state of the interaction.")
    customer: Customer | None = strawberry.field(description="The customer of the interaction.")
    assignee: User | None = strawberry.field(description="The user to whom the interaction is assigned.")
    team: Team | None = strawberry.field(description="The team that the interaction belongs to.")
    attention: Attention = strawberry.field(description="The attention of the interaction.")
    bot_active: bool = strawberry.field(description="Whether a bot answers the customer of the interaction.")
    labels: list[str] = strawberry.field(description="The labels of the interaction.")
    version: int = strawberry.field(
        description="The version of the interaction, from 1. Every edit increments it; messages do not."
    )
    created_at: datetime = strawberry.field(description="The time of the interaction's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest change of the interaction.")
    latest_message_at: datetime | None = strawberry.field(description="The time of the interaction's newest message.")
    messages: Connection[Annotated["Message", strawberry.lazy("app.interactions.graphql.types")]] = edge(
        description="The messages of the interaction.",
        order_by=argument(MessageOrder | None, "The order of the messages.", OLDEST_MESSAGES),
        **PAGING,
    )
    latest_message: Annotated["Message", strawberry.lazy("app.interactions.graphql.types")] | None = strawberry.field(
        description="The newest message of the interaction."
    )
    latest_customer_message: Annotated["Message", strawberry.lazy("app.interactions.graphql.types")] | None = (
        strawberry.field(description="The newest message of the interaction's customer.")
    )
    unread_customer_messages_count: int = strawberry.field(
        description="The number of messages of the interaction's customer that nobody has read."
    )
    waiting_since: datetime | None = strawberry.field(
        description="The arrival of the first message of the interaction's customer that nobody has answered; null "
        "while the customer does not wait. Reading a message does not answer it."
    )
    unanswered_messages_count: int = strawberry.field(
        description="The number of messages of the interaction's customer that nobody has answered, at most 1,000."
    )
    notes: Connection[Annotated["Note", strawberry.lazy("app.interactions.graphql.types")]] = edge(
        description="The notes of the interaction.",
        order_by=argument(NoteOrder | None, "The order of the notes.", NEWEST_NOTES),
        **PAGING,
    )
    latest_note: Annotated["Note", strawberry.lazy("app.interactions.graphql.types")] | None = strawberry.field(
        description="The newest note of the interaction."
    )
    history: Connection[Annotated["HistoryEntry", strawberry.lazy("app.interactions.graphql.types")]] = edge(
        description="The history of the interaction: every change, its actor and its time, for as long as events "
        "are kept.",
        order_by=argument(HistoryOrder | None, "The order of the entries.", NEWEST_ENTRIES),
        **PAGING,
    )
    assignable_users: Connection[User] = edge(
        description="The users to whom the interaction can be assigned: active ones who may read and write its kind"
        " and, for a chat, respond in its topic. Each has a `presence`.",
        search=SEARCH_USERS,
        present=PRESENT,
        **PAGING,
    )
    viewers: list[InteractionViewer] = strawberry.field(description="The users who are viewing the interaction.")
    viewer_can: ViewerCan = strawberry.field(description="The commands of the interaction that the caller may give.")


@strawberry.type(description="A campaign that sends messages.")
class Campaign:
    campaign_id: Long | None = strawberry.field(description="The number of the campaign in its own system.")
    name: str = strawberry.field(description="The name of the campaign.")


@strawberry.type(description="Why a message could not be sent or received.")
class MessageError:
    error_id: Long = strawberry.field(description="The number of the error.")
    type: MessageErrorType = strawberry.field(description="The type of the error.")
    original_message: str = strawberry.field(description="The error text of the channel.")
    created_at: datetime = strawberry.field(description="The time of the error.")


@strawberry.type(description="A message within an interaction.")
class Message(Node):
    message_id: Long = strawberry.field(description="The number of the message.")
    message_key: str = strawberry.field(description="The key of the message in its own system.")
    interaction: Interaction = strawberry.field(description="The interaction of the message.")
    author: MessageAuthor = strawberry.field(description="The author of the message.")
    sender_role: SenderRole = strawberry.field(description="The role of the message's author.")
    user: User | None = strawberry.field(description="The user who wrote the message.")
    source: MessageSource = strawberry.field(description="The source of the message.")
    contents: list[MessageContent] = strawberry.field(description="The contents of the message.")
    text: str | None = strawberry.field(description="The texts and captions of the message, one line each.")
    status: MessageStatus = strawberry.field(description="The status of the message.")
    sent_at: datetime = strawberry.field(description="The time at which the message was sent.")
    delivered_at: datetime | None = strawberry.field(description="The time at which the message arrived.")
    created_at: datetime = strawberry.field(description="The time at which Switchboard first stored the message.")
    updated_at: datetime = strawberry.field(description="The time of the latest change of the message.")
    agent_reaction: str | None = strawberry.field(description="The emoji of the business on the message.")
    customer_reaction: str | None = strawberry.field(description="The emoji of the customer on the message.")
    reference: Annotated["Message", strawberry.lazy("app.interactions.graphql.types")] | None = strawberry.field(
        description="The message that the message refers to."
    )
    campaign: Campaign | None = strawberry.field(description="The campaign of the message.")
    latest_error: MessageError | None = strawberry.field(description="The latest error of the message.")
    errors: Connection[MessageError] = edge(description="The errors of the message, the newest first.", **PAGING)
    special_param: str | None = strawberry.field(description="The parameter of the message's special type.")
    author_name: str | None = strawberry.field(description="The name of the message's author, as given by the sender.")
    read_by_customer: bool | None = strawberry.field(description="Whether the customer has read the message.")
    event_type: str | None = strawberry.field(description="The type of the message's event in an AgentSession.")
    hidden: bool | None = strawberry.field(description="Whether the message is hidden from the AiAgent.")


@strawberry.type(description="An internal note for users of the business. The customer never sees it.")
class Note(Node):
    note_id: Long = strawberry.field(description="The number of the note.")
    interaction: Interaction = strawberry.field(description="The interaction of the note.")
    author: User | None = strawberry.field(description="The author of the note.")
    text: str = strawberry.field(description="The text of the note.")
    created_at: datetime = strawberry.field(description="The time of the note's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the note.")


@strawberry.type(description="Something that happened to an interaction.")
class HistoryEntry:
    id: strawberry.ID = strawberry.field(
        description="The id of the entry. Its event in the log and in subscriptions has the same id."
    )
    at: datetime = strawberry.field(description="The time of the entry.")
    topic: TopicName = strawberry.field(description="The topic of the entry.")
    actor: User | None = strawberry.field(description="The user who made the change; null when no user did.")
    client_mutation_id: str | None = strawberry.field(description="The `clientMutationId` of the mutation that did it.")
    version: int | None = strawberry.field(description="The version of the interaction after the entry.")
    level_before: Level | None = strawberry.field(description="The level of the attention before the entry.")
    level_after: Level | None = strawberry.field(description="The level of the attention after the entry.")
    changes: list[FieldChange] = strawberry.field(description="The changed fields of the entry.")
    message: Message | None = strawberry.field(description="The message of the entry, while it exists.")
    note: Note | None = strawberry.field(description="The note of the entry, while it exists.")


@strawberry.type(description="An entry of the event log: something that happened.")
class Event:
    id: strawberry.ID = strawberry.field(
        description="The id of the event. Its entry in the interaction's history has the same id."
    )
    cursor: str = strawberry.field(description="The cursor of the event. Events after it can be read with `after`.")
    at: datetime = strawberry.field(description="The time of the event.")
    topic: TopicName = strawberry.field(description="The topic of the event.")
    kind: KindName | None = strawberry.field(description="The kind of the event's interaction.")
    interaction: Interaction | None = strawberry.field(
        description="The interaction of the event as it is now, while it exists."
    )
    actor: User | None = strawberry.field(description="The user who made the change; null when no user did.")
    client_mutation_id: str | None = strawberry.field(description="The `clientMutationId` of the mutation that did it.")
    version: int | None = strawberry.field(description="The version of the interaction after the event.")
    level_before: Level | None = strawberry.field(description="The level of the attention before the event.")
    level_after: Level | None = strawberry.field(description="The level of the attention after the event.")
    changes: list[FieldChange] = strawberry.field(description="The changed fields of the event.")
    message: Message | None = strawberry.field(description="The message of the event, while it exists.")
    message_node_id: strawberry.ID | None = strawberry.field(
        description="The id of the event's message, even after that was deleted."
    )
    note: Note | None = strawberry.field(description="The note of the event, while it exists.")
    note_node_id: strawberry.ID | None = strawberry.field(
        description="The id of the event's note, even after that was deleted."
    )


@strawberry.type(description="A page of the event log.")
class EventPage:
    events: list[Event] = strawberry.field(description="The events of the page that the caller may see.")
    cursor: str = strawberry.field(description="The cursor of the page's end.")
    has_more: bool = strawberry.field(description="Whether more events follow the page.")
