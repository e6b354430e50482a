"""The types of the directory in the graph."""

from datetime import date, datetime
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from app.directory.graphql.enums import PermissionName, SystemName
from app.directory.model import Channel, Gender, Salutation, UserType
from app.graph.enums import described
from app.graph.fields import PAGING, Connection, Node, edge

_HIDDEN = (
    "The names of the fields of this object that the caller lacks a permission to see, in alphabetical order. They are "
    "null whatever they hold; any other null is an absent value."
)

_READ = "Null without the permission `directory:read`."

described(
    Channel,
    "Type of messenger service.",
    {
        "BRIDGE": "A messenger that is connected by way of a bridge.",
        "WHATSAPP": "WhatsApp.",
        "WIDGET": "A chat widget on a web page.",
    },
)
described(
    Salutation,
    "How a person wishes to be addressed.",
    {"FORMAL_MALE": "Formally, as a man.", "FORMAL_FEMALE": "Formally, as a woman.", "INFORMAL": "Informally."},
)
described(
    Gender,
    "The gender that a person stated.",
    {"UNDISCLOSED": "Not stated.", "MALE": "Male.", "FEMALE": "Female.", "DIVERSE": "Neither male nor female."},
)
described(
    UserType,
    "The type of a user's login.",
    {
        "UNKNOWN": "Not known.",
        "INTERNAL_ASSOCIATE": "A person of the business.",
        "RESOURCE_ASSOCIATE": "A thing that can be booked.",
        "EXTERNAL_ASSOCIATE": "A person of another business.",
        "ANONYMOUS_ASSOCIATE": "An anonymous associate.",
        "SYSTEM_ASSOCIATE": "A program.",
    },
)


@strawberry.type(description="Whether chats may be offered to a user.")
class Presence:
    present: bool = strawberry.field(description="Whether chats may be offered to the user.")
    changed_at: datetime | None = strawberry.field(description="The time of the latest change of the presence.")


@strawberry.type(description="A person or a service that works for the business.")
class User(Node):
    hidden_fields: list[str] = strawberry.field(description=_HIDDEN)
    name: str = strawberry.field(description="The name of the user.")
    login: str = strawberry.field(description="The login name of the user, which no other user has.")
    full_name: str | None = strawberry.field(description="The full name of the user.")
    email: str | None = strawberry.field(description=f"The e-mail address of the user. {_READ}")
    roles: list[str] | None = strawberry.field(
        description=f"The roles of the user; `admin` implies all permissions. {_READ}"
    )
    permissions: list[PermissionName] | None = strawberry.field(description=f"The permissions of the user. {_READ}")
    person_id: int | None = strawberry.field(description="The number of the user's person in the live chat's system.")
    type: UserType = strawberry.field(description="The sort of login of the user.")
    active: bool = strawberry.field(description="Whether the keys of the user are accepted.")
    is_service: bool = strawberry.field(description="Whether the user is a program.")
    presence: Presence = strawberry.field(description="The presence of the user.")
    created_at: datetime = strawberry.field(description="The time of the user's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the user.")
    version: int = strawberry.field(description="The number of edits of the user, from 1.")
    api_keys: Connection[Annotated["ApiKey", strawberry.lazy("app.directory.graphql.types")]] | None = edge(
        description="The API keys of the user, newest first. Null without the permission `users:manage`; the "
        "caller's own keys are at `viewer`.",
        **PAGING,
    )

    teams: Connection[Annotated["Team", strawberry.lazy("app.directory.graphql.types")]] = edge(
        description="The teams of which the user is a member, in the order in which they were made.", **PAGING
    )


@strawberry.type(description="Users who work together, and whose interactions belong to them.")
class Team(Node):
    name: str = strawberry.field(description="The name of the team, which no other team has.")
    members: Connection[User] = edge(
        description="The members of the team, in the order in which the users were made.", **PAGING
    )
    account_ids: list[strawberry.ID] = strawberry.field(
        description="The ids of the ChannelAgents, AiAgents and ChatTopics whose interactions belong to the team."
    )
    labels: list[str] = strawberry.field(
        description="The labels that lead an interaction to the team. They count before the accounts."
    )
    created_at: datetime = strawberry.field(description="The time of the team's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the team.")
    version: int = strawberry.field(description="The number of edits of the team, from 1.")


@strawberry.type(description="A key with which programs authenticate as a user. Its secret cannot be read again.")
class ApiKey(Node):
    hidden_fields: list[str] = strawberry.field(description=_HIDDEN)
    name: str = strawberry.field(description="The name of the API key: what it is used for.")
    prefix: str = strawberry.field(description="The first characters of the API key's secret, to recognise it by.")
    user: User = strawberry.field(description="The user of the API key.")
    permissions: list[PermissionName] | None = strawberry.field(
        description="The permissions that the API key is narrowed to; null when it allows all that its user may."
    )
    expires_at: datetime | None = strawberry.field(description="The time at which the API key expires; null for never.")
    revoked_at: datetime | None = strawberry.field(description="The time of the API key's revocation.")
    created_at: datetime = strawberry.field(description="The time of the API key's creation.")
    made_by: Annotated["ApiKey", strawberry.lazy("app.directory.graphql.types")] | None = strawberry.field(
        description="The API key with which this one was created. Null when it was created on the command line, and"
        " without the permission `users:manage`."
    )
    is_current: bool = strawberry.field(description="Whether this request is authenticated with the API key.")


@strawberry.type(description="The caller.")
class Viewer:
    user: User = strawberry.field(description="The user of the caller.")
    permissions: list[PermissionName] = strawberry.field(
        description="The permissions of the caller, which its key may narrow and the groups of its token may extend."
    )
    api_key: ApiKey | None = strawberry.field(
        description="The API key of the request; null where an access token of an identity provider is its credential."
    )
    api_keys: Connection[ApiKey] = edge(description="The API keys of the caller's user, the newest first.", **PAGING)


@strawberry.type(description="An identity of a person in one system or channel.")
class Customer(Node):
    hidden_fields: list[str] = strawberry.field(description=_HIDDEN)
    customer_key: str = strawberry.field(description="The key of the customer in its own system.")
    system: SystemName = strawberry.field(description="The system of the customer.")
    channel: Channel | None = strawberry.field(description="The messenger service of the customer.")
    display_id: str | None = strawberry.field(
        description=f"The id of the customer on its channel, such as a telephone number. {_READ}"
    )
    name: str | None = strawberry.field(description="The name of the customer.")
    phone_number: str | None = strawberry.field(description=f"The telephone number of the customer. {_READ}")
    unconfirmed_phone_number: str | None = strawberry.field(
        description=f"The telephone number that the customer has not confirmed. {_READ}"
    )
    country_code: str | None = strawberry.field(description=f"The country of the customer. {_READ}")
    email: str | None = strawberry.field(description=f"The e-mail address of the customer. {_READ}")
    first_name: str | None = strawberry.field(description=f"The first name of the customer. {_READ}")
    last_name: str | None = strawberry.field(description=f"The last name of the customer. {_READ}")
    time_zone: str | None = strawberry.field(
        description=f"The time zone of the customer, such as `Europe/Oslo`. {_READ}"
    )
    tags: list[str] | None = strawberry.field(description=f"The tags of the customer. {_READ}")
    shipping_rate: int | None = strawberry.field(description=f"The shipping rate of the customer. {_READ}")
    unsubscribed: bool = strawberry.field(description="Whether the customer receives no messages.")
    billing_address: JSON | None = strawberry.field(description=f"The billing address of the customer. {_READ}")
    shipping_address: JSON | None = strawberry.field(description=f"The shipping address of the customer. {_READ}")
    card: JSON | None = strawberry.field(description=f"The payment card of the customer. {_READ}")
    company_name: str | None = strawberry.field(description=f"The company of the customer. {_READ}")
    confirmed_at: datetime | None = strawberry.field(
        description=f"The time of the confirmation of the customer's telephone number. {_READ}"
    )
    profile: Annotated["Profile", strawberry.lazy("app.directory.graphql.types")] | None = strawberry.field(
        description="The profile of the customer."
    )
    created_at: datetime = strawberry.field(description="The time of the customer's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the customer.")
    version: int = strawberry.field(description="The number of edits of the customer, from 1.")


@strawberry.type(description="A person, with all their customers in all systems.")
class Profile(Node):
    hidden_fields: list[str] = strawberry.field(description=_HIDDEN)
    salutation: Salutation | None = strawberry.field(description=f"The salutation of the profile. {_READ}")
    name: str = strawberry.field(description="The name of the profile.")
    gender: Gender | None = strawberry.field(description=f"The gender of the profile. {_READ}")
    blocked: bool = strawberry.field(
        description="Whether the person is blocked: no message is sent to any of their customers."
    )
    date_of_birth: date | None = strawberry.field(description=f"The date of birth of the profile. {_READ}")
    phone_number: str | None = strawberry.field(description=f"The telephone number of the profile. {_READ}")
    email: str | None = strawberry.field(description=f"The e-mail address of the profile. {_READ}")
    address: str | None = strawberry.field(description=f"The address of the profile. {_READ}")
    custom_1: str | None = strawberry.field(description=f"The first custom field of the profile. {_READ}")
    custom_2: str | None = strawberry.field(description=f"The second custom field of the profile. {_READ}")
    custom_3: str | None = strawberry.field(description=f"The third custom field of the profile. {_READ}")
    custom_4: str | None = strawberry.field(description=f"The fourth custom field of the profile. {_READ}")
    custom_5: str | None = strawberry.field(description=f"The fifth custom field of the profile. {_READ}")
    customers: Connection[Customer] | None = edge(
        description=f"The customers of the profile, in the order in which they became known. {_READ}", **PAGING
    )
    created_at: datetime = strawberry.field(description="The time of the profile's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the profile.")
    version: int = strawberry.field(description="The number of edits of the profile, from 1.")
