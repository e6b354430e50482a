"""The inputs and payloads of chats and topics."""

import strawberry
from strawberry import Maybe

from app.graph.fields import EditInput, MutationInput, MutationPayload, OnceInput
from app.kinds.chat_session.graphql.enums import ChatInitialStatus, ChatSessionStatus, Weekday
from app.kinds.chat_session.graphql.types import ChatSession, ChatTopic, ChatTopicMember

# ---- chats --------------------------------------------------------------------------------------------------------


@strawberry.input(description="A person in the system of the chat; -1 is none.")
class PersonReferenceInput:
    person_id: int = strawberry.field(description="The number of the person.")
    firstname: str | None = strawberry.field(default=None, description="The first name of the person.")
    lastname: str | None = strawberry.field(default=None, description="The last name of the person.")
    full_name: str | None = strawberry.field(default=None, description="The full name of the person.")
    email: str | None = strawberry.field(default=None, description="The e-mail address of the person.")
    contact_id: int | None = strawberry.field(default=None, description="The number of the person's contact.")


@strawberry.input(description="A contact in the system of the chat; -1 is none.")
class ContactReferenceInput:
    contact_id: int = strawberry.field(description="The number of the contact.")
    name: str | None = strawberry.field(default=None, description="The name of the contact.")


@strawberry.input(description="A project in the system of the chat; -1 is none.")
class ProjectReferenceInput:
    project_id: int = strawberry.field(description="The number of the project.")
    name: str | None = strawberry.field(default=None, description="The name of the project.")


@strawberry.input(description="A sale in the system of the chat; -1 is none.")
class SaleReferenceInput:
    sale_id: int = strawberry.field(description="The number of the sale.")
    title: str | None = strawberry.field(default=None, description="The title of the sale.")
    amount: float | None = strawberry.field(default=None, description="The amount of the sale.")
    currency: str | None = strawberry.field(default=None, description="The currency of the sale's amount.")


@strawberry.input(description="A ticket in the system of the chat; -1 is none.")
class TicketReferenceInput:
    ticket_id: int = strawberry.field(description="The number of the ticket.")
    title: str | None = strawberry.field(default=None, description="The title of the ticket.")
    base_status: str | None = strawberry.field(default=None, description="The base status of the ticket.")


@strawberry.input
class _CustomerFields:
    customer_alias: Maybe[str | None] = strawberry.field(
        description="The alias of the chat's customer, up to 64 characters."
    )
    customer_host: Maybe[str | None] = strawberry.field(
        description="The host name or IP address of the chat's customer, up to 255 characters."
    )
    customer_name: Maybe[str | None] = strawberry.field(
        description="The name of the chat's customer, up to 255 characters."
    )
    customer_email: Maybe[str | None] = strawberry.field(
        description="The e-mail address of the chat's customer, up to 255 characters."
    )
    customer_phone: Maybe[str | None] = strawberry.field(
        description="The telephone number of the chat's customer, up to 32 characters."
    )
    customer_company_name: Maybe[str | None] = strawberry.field(
        description="The name of the company of the chat's customer, up to 255 characters."
    )
    person: Maybe[PersonReferenceInput | None] = strawberry.field(description="The person of the chat.")
    contact: Maybe[ContactReferenceInput | None] = strawberry.field(description="The contact of the chat.")
    project: Maybe[ProjectReferenceInput | None] = strawberry.field(description="The project of the chat.")
    sale: Maybe[SaleReferenceInput | None] = strawberry.field(description="The sale of the chat.")
    ticket: Maybe[TicketReferenceInput | None] = strawberry.field(description="The ticket of the chat.")


@strawberry.input(description="A customer's request of a chat.")
class RequestChatSessionInput(_CustomerFields, OnceInput):
    topic_id: int = strawberry.field(description="The number of the chat's topic in its own system.")
    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the chat's customer in the directory."
    )
    customer_consented: bool = strawberry.field(
        default=False, description="Whether the chat's customer consented at the start."
    )


@strawberry.input(description="The changes to a chat. An absent field keeps its value.")
class UpdateChatSessionInput(_CustomerFields, EditInput):
    topic_id: Maybe[int] = strawberry.field(description="The number of the chat's topic in its own system.")
    status: Maybe[ChatSessionStatus] = strawberry.field(
        description="The status of the chat. It follows the state machine of chats, with all consequences."
    )
    alert_level: Maybe[int] = strawberry.field(description="The alert level of the chat, 0 or more.")
    customer_is_typing: Maybe[bool] = strawberry.field(description="Whether the customer of the chat is typing.")
    user_is_typing: Maybe[bool] = strawberry.field(description="Whether the user of the chat is typing.")
    chatbot_is_active: Maybe[bool] = strawberry.field(description="Whether a bot is active in the chat.")
    rating: Maybe[int | None] = strawberry.field(
        description="The customer's rating of the chat. Only chats that a user accepted can be rated."
    )
    session_key: Maybe[str | None] = strawberry.field(
        description="The key of the chat: ignored when it is masked or the chat's own, refused otherwise."
    )
    customer_consented: Maybe[bool] = strawberry.field(
        description="Whether the chat's customer consented at the start."
    )


@strawberry.input(description="The chat to pick up.")
class PickUpChatSessionInput(OnceInput):
    id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the chat. The default is the chat that has waited longest."
    )
    topic_id: int | None = strawberry.field(
        default=None, description="The number of the topic to pick from; null for any topic."
    )
    if_version: int | None = strawberry.field(
        default=None,
        description="The version that the caller has read. When it is no longer current, nothing is changed: "
        "VERSION_CONFLICT.",
    )


@strawberry.input(description="The chat to offer, and the user.")
class TransferChatSessionInput(EditInput):
    user_id: strawberry.ID = strawberry.field(
        description="The id of the user to transfer the chat to: another user, who is present and may respond in "
        "its topic."
    )


@strawberry.input(description="The customer's rating of a chat.")
class RateChatSessionInput(EditInput):
    rating: int = strawberry.field(description="The rating of the chat by its customer.")


@strawberry.input(description="A reading of a chat by the customer's side.")
class MarkFetchedInput(MutationInput):
    id: strawberry.ID = strawberry.field(description="The id of the chat.")
    session_key: str | None = strawberry.field(
        default=None, description="The session key of the chat. It is optional, but must be right when given."
    )


@strawberry.type(description="The result of a mutation of a chat.")
class ChatSessionPayload(MutationPayload):
    chat_session: ChatSession | None = strawberry.field(
        description="The chat as it is now; null after a refusal, and when no chat waits to be picked up."
    )


@strawberry.type(description="The result of requesting a chat.")
class RequestChatSessionPayload(MutationPayload):
    chat_session: ChatSession | None = strawberry.field(description="The new chat; null after a refusal.")
    session_key: str | None = strawberry.field(
        description="The session key of the chat. It is returned only here; null for a repeated request."
    )


# ---- topics -------------------------------------------------------------------------------------------------------


@strawberry.input(description="A time of the week at which a topic is open.")
class OpeningHoursInput:
    day: Weekday = strawberry.field(description="The day of the opening hours.")
    opens: str = strawberry.field(description="The start of the opening hours, as `08:00`.")
    closes: str = strawberry.field(description="The end of the opening hours, as `16:00`; `24:00` is midnight.")


@strawberry.input
class _TopicFields:
    description: Maybe[str | None] = strawberry.field(
        description="The description of the topic, up to 1,024 characters."
    )
    welcome_message: Maybe[str | None] = strawberry.field(
        description="The welcome message of the topic, up to 1,024 characters."
    )
    language: Maybe[str | None] = strawberry.field(description="The language of the topic, up to 32 characters.")
    time_zone: Maybe[str | None] = strawberry.field(
        description="The time zone of the topic's opening hours, as `Europe/Oslo`."
    )
    offline_message: Maybe[str | None] = strawberry.field(
        description="The message shown when no member of the topic is present, up to 1,024 characters."
    )
    ticket_category_id: Maybe[int | None] = strawberry.field(description="The category of the topic's tickets.")
    ticket_priority_id: Maybe[int | None] = strawberry.field(description="The priority of the topic's tickets.")


@strawberry.input(description="A new topic.")
class CreateChatTopicInput(_TopicFields, OnceInput):
    name: str = strawberry.field(description="The name of the topic, 1 to 255 characters.")
    topic_id: int | None = strawberry.field(
        default=None, description="The number of the topic in its own system. Assigned when absent."
    )
    bot_enabled: bool = strawberry.field(default=False, description="Whether a bot starts with each chat of the topic.")
    initial_status: ChatInitialStatus = strawberry.field(
        default=ChatInitialStatus.IN_QUEUE, description="The first status of the topic's chats."
    )
    opening_hours: list[OpeningHoursInput] = strawberry.field(
        default_factory=list, description="All opening hours of the topic."
    )
    ticket_enabled: bool = strawberry.field(
        default=False, description="Whether the topic's offline form makes a ticket."
    )


@strawberry.input(description="The changes to a topic. An absent field keeps its value.")
class UpdateChatTopicInput(_TopicFields, MutationInput):
    id: strawberry.ID = strawberry.field(description="The id of the topic.")
    name: Maybe[str] = strawberry.field(description="The name of the topic, 1 to 255 characters.")
    bot_enabled: Maybe[bool] = strawberry.field(description="Whether a bot starts with each chat of the topic.")
    initial_status: Maybe[ChatInitialStatus] = strawberry.field(description="The first status of the topic's chats.")
    opening_hours: Maybe[list[OpeningHoursInput]] = strawberry.field(description="All opening hours of the topic.")
    ticket_enabled: Maybe[bool] = strawberry.field(description="Whether the topic's offline form makes a ticket.")


@strawberry.input(description="Which topic to delete.")
class DeleteChatTopicInput(MutationInput):
    id: strawberry.ID = strawberry.field(description="The id of the topic.")


@strawberry.input(description="A new member of a topic.")
class AddChatTopicMemberInput(OnceInput):
    chat_topic_id: strawberry.ID = strawberry.field(description="The id of the topic.")
    user_id: strawberry.ID = strawberry.field(description="The id of the user of the member.")
    can_respond: bool = strawberry.field(default=False, description="Whether the member may take the topic's chats.")
    can_listen: bool = strawberry.field(default=False, description="Whether the member may follow the topic's chats.")
    can_manage: bool = strawberry.field(
        default=False, description="Whether the member may change the topic and its members."
    )
    can_notify: bool = strawberry.field(
        default=False, description="Whether the member is notified of the topic's chats."
    )


@strawberry.input(description="The changes to a member's rights. An absent field keeps its value.")
class UpdateChatTopicMemberInput(MutationInput):
    id: strawberry.ID = strawberry.field(description="The id of the member.")
    can_respond: Maybe[bool] = strawberry.field(description="Whether the member may take the topic's chats.")
    can_listen: Maybe[bool] = strawberry.field(description="Whether the member may follow the topic's chats.")
    can_manage: Maybe[bool] = strawberry.field(description="Whether the member may change the topic and its members.")
    can_notify: Maybe[bool] = strawberry.field(description="Whether the member is notified of the topic's chats.")


@strawberry.input(description="Which member to remove.")
class RemoveChatTopicMemberInput(MutationInput):
    id: strawberry.ID = strawberry.field(description="The id of the member.")


@strawberry.type(description="The result of a mutation of a topic.")
class ChatTopicPayload(MutationPayload):
    chat_topic: ChatTopic | None = strawberry.field(description="The topic as it is now; null after a refusal.")


@strawberry.type(description="The result of deleting a topic.")
class DeleteChatTopicPayload(MutationPayload):
    deleted_id: strawberry.ID | None = strawberry.field(description="The id of the topic that is gone.")


@strawberry.type(description="The result of a mutation of a member.")
class ChatTopicMemberPayload(MutationPayload):
    chat_topic_member: ChatTopicMember | None = strawberry.field(
        description="The member as it is now; null after a refusal."
    )


@strawberry.type(description="The result of removing a member.")
class RemoveChatTopicMemberPayload(MutationPayload):
    deleted_id: strawberry.ID | None = strawberry.field(description="The id of the member that is gone.")
