"""Chats, topics and what belongs to them in the graph."""

from datetime import datetime
from typing import Annotated

import strawberry

from app.directory.graphql import User
from app.graph.fields import PAGING, Connection, Node, edge
from app.interactions.graphql import Interaction
from app.kinds.chat_session.graphql.enums import (
    ChatInitialStatus,
    ChatSessionStatus,
    FieldRight,
    TableRightMask,
    Weekday,
)


@strawberry.type(description="A time of the week at which a chat topic is open.")
class OpeningHours:
    day: Weekday = strawberry.field(description="The day of the opening hours.")
    opens: str = strawberry.field(description="The start of the opening hours, as `08:00`.")
    closes: str = strawberry.field(description="The end of the opening hours, as `16:00`; `24:00` is midnight.")


@strawberry.type(description="A user's rights in a chat topic.")
class ChatTopicMember(Node):
    topic: Annotated["ChatTopic", strawberry.lazy("app.kinds.chat_session.graphql.types")] = strawberry.field(
        description="The topic of the member."
    )
    user: User = strawberry.field(description="The user of the member.")
    can_respond: bool = strawberry.field(description="Whether the member may take the topic's chats.")
    can_listen: bool = strawberry.field(description="Whether the member may follow the topic's chats.")
    can_manage: bool = strawberry.field(description="Whether the member may change the topic and its members.")
    can_notify: bool = strawberry.field(description="Whether the member is notified of the topic's chats.")
    present: bool = strawberry.field(description="Whether chats may be offered to the member now.")
    ongoing_chats: int = strawberry.field(description="The number of the member's active chats, of all topics.")


@strawberry.type(description="A subject that customers can chat about. Each topic has a queue.")
class ChatTopic(Node):
    topic_id: int = strawberry.field(description="The number of the topic in its own system.")
    name: str = strawberry.field(description="The name of the topic.")
    description: str | None = strawberry.field(description="The description of the topic.")
    welcome_message: str | None = strawberry.field(
        description="The welcome message of the topic: posted when a user picks up a chat."
    )
    language: str | None = strawberry.field(description="The language of the topic.")
    bot_enabled: bool = strawberry.field(description="Whether a bot starts with each chat of the topic.")
    initial_status: ChatInitialStatus = strawberry.field(description="The first status of the topic's chats.")
    opening_hours: list[OpeningHours] = strawberry.field(description="The opening hours of the topic.")
    time_zone: str | None = strawberry.field(description="The time zone of the topic's opening hours.")
    offline_message: str | None = strawberry.field(
        description="The message shown when no member of the topic is present."
    )
    ticket_enabled: bool = strawberry.field(description="Whether the topic's offline form makes a ticket.")
    ticket_category_id: int | None = strawberry.field(description="The category of the topic's tickets.")
    ticket_priority_id: int | None = strawberry.field(description="The priority of the topic's tickets.")
    queue_length: int = strawberry.field(description="The number of chats in the topic's queue.")
    members: Connection[ChatTopicMember] = edge(
        description="The members of the topic, in the order in which they were added.", **PAGING
    )
    created_at: datetime = strawberry.field(description="The time of the topic's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest change of the topic.")


@strawberry.type(description="A person in the system of the chat.")
class PersonReference:
    person_id: int = strawberry.field(description="The number of the person.")
    firstname: str | None = strawberry.field(description="The first name of the person.")
    lastname: str | None = strawberry.field(description="The last name of the person.")
    full_name: str | None = strawberry.field(description="The full name of the person.")
    email: str | None = strawberry.field(description="The e-mail address of the person.")
    contact_id: int | None = strawberry.field(description="The number of the person's contact.")


@strawberry.type(description="A contact, such as a company, in the system of the chat.")
class ContactReference:
    contact_id: int = strawberry.field(description="The number of the contact.")
    name: str | None = strawberry.field(description="The name of the contact.")


@strawberry.type(description="A project in the system of the chat.")
class ProjectReference:
    project_id: int = strawberry.field(description="The number of the project.")
    name: str | None = strawberry.field(description="The name of the project.")


@strawberry.type(description="A sale in the system of the chat.")
class SaleReference:
    sale_id: int = strawberry.field(description="The number of the sale.")
    title: str | None = strawberry.field(description="The title of the sale.")
    amount: float | None = strawberry.field(description="The amount of the sale.")
    currency: str | None = strawberry.field(description="The currency of the sale's amount.")


@strawberry.type(description="A ticket in the system of the chat.")
class TicketReference:
    ticket_id: int = strawberry.field(description="The number of the ticket.")
    title: str | None = strawberry.field(description="The title of the ticket.")
    base_status: str | None = strawberry.field(description="The base status of the ticket.")


@strawberry.type(description="A right of the caller to a chat as a whole.")
class TableRight:
    mask: list[TableRightMask] = strawberry.field(description="The actions of the right.")
    reason: str | None = strawberry.field(description="The reason why the right does not include all actions.")


@strawberry.type(description="A right of the caller to a field of a chat.")
class FieldProperty:
    name: str = strawberry.field(description="The name of the field.")
    right: FieldRight = strawberry.field(description="The right of the caller on the field.")
    type: str = strawberry.field(description="The type of the field in the chat's own system.")
    length: int | None = strawberry.field(description="The length of the field: the most characters it holds.")


@strawberry.type(description="A live chat with a customer.")
class ChatSession(Interaction, Node):
    chat_session_id: int = strawberry.field(description="The number of the chat in its own system.")
    topic_id: int = strawberry.field(description="The number of the chat's topic in its own system.")
    topic: ChatTopic = strawberry.field(description="The topic of the chat.")
    user: User | None = strawberry.field(description="The user of the chat: its assignee.")
    person: PersonReference | None = strawberry.field(description="The person of the chat, if it is known.")
    customer_alias: str | None = strawberry.field(description="The alias of the chat's customer.")
    customer_host: str | None = strawberry.field(description="The host name or IP address of the chat's customer.")
    customer_name: str | None = strawberry.field(description="The name of the chat's customer, as given.")
    customer_email: str | None = strawberry.field(description="The e-mail address of the chat's customer, as given.")
    customer_phone: str | None = strawberry.field(description="The telephone number of the chat's customer, as given.")
    customer_consented: bool = strawberry.field(description="Whether the chat's customer consented at the start.")
    customer_company_name: str | None = strawberry.field(
        description="The name of the company of the chat's customer, as given."
    )
    status: ChatSessionStatus = strawberry.field(description="The status of the chat.")
    first_message: str | None = strawberry.field(
        description="A copy of the first message of the chat, up to 1,024 characters."
    )
    last_message: str | None = strawberry.field(
        description="A copy of the last message of the chat, up to 1,024 characters."
    )
    when_requested: datetime | None = strawberry.field(description="The time of the customer's request of the chat.")
    when_started: datetime | None = strawberry.field(description="The time of the acceptance of the chat by a user.")
    when_ended: datetime | None = strawberry.field(description="The time of the end of the chat.")
    when_idle: datetime | None = strawberry.field(description="The time of the last message of the chat.")
    when_fetched: datetime | None = strawberry.field(
        description="The time of the last reading of the chat by the customer's side."
    )
    session_key: str = strawberry.field(
        description=("The session key of the chat, masked. Only the answer to the request contains it.")
    )
    initial_queue_pos: int = strawberry.field(
        description="The position of the chat in the queue when it was requested, from 1."
    )
    alert_level: int = strawberry.field(description="The alert level of the chat; from 1 it needs a human.")
    rank: int = strawberry.field(
        description="The rank of the chat: the lowest free number among its user's active chats, from 1."
    )
    customer_is_typing: bool = strawberry.field(description="Whether the customer of the chat is typing.")
    user_is_typing: bool = strawberry.field(description="Whether the user of the chat is typing.")
    contact: ContactReference | None = strawberry.field(description="The contact of the chat, if it is known.")
    project: ProjectReference | None = strawberry.field(description="The project of the chat, if it is known.")
    sale: SaleReference | None = strawberry.field(description="The sale of the chat, if it is known.")
    ticket: TicketReference | None = strawberry.field(description="The ticket of the chat, if it is known.")
    transfer_to: User | None = strawberry.field(description="The user of the chat's pending transfer.")
    chatbot_is_active: bool = strawberry.field(description="Whether a bot is active in the chat.")
    rating: int | None = strawberry.field(description="The rating of the chat by its customer.")
    table_right: TableRight = strawberry.field(description="The rights of the caller on the chat as a whole.")
    field_properties: list[FieldProperty] = strawberry.field(
        description="The rights of the caller on each field of the chat."
    )
