"""The types of customers and profiles in the graph."""

from datetime import date, datetime
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from app.directory.graphql.enums import SystemName
from app.directory.graphql.hidden import HIDDEN, READ
from app.directory.model import Channel, Gender, Salutation
from app.graph.enums import described
from app.graph.fields import PAGING, Connection, Node, edge

described(
    Channel,
    "Type of messenger service.",
    {
        "BRIDGE": "A messenger that is connected through a bridge.",
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


@strawberry.type(description="An identity of a person in one system or channel.")
class Customer(Node):
    hidden_fields: list[str] = strawberry.field(description=HIDDEN)
    customer_key: str = strawberry.field(description="The key of the customer in its own system.")
    system: SystemName = strawberry.field(description="The system of the customer.")
    channel: Channel | None = strawberry.field(description="The messenger service of the customer.")
    display_id: str | None = strawberry.field(
        description=f"The id of the customer on its channel, such as a telephone number. {READ}"
    )
    name: str | None = strawberry.field(description="The name of the customer.")
    phone_number: str | None = strawberry.field(description=f"The telephone number of the customer. {READ}")
    unconfirmed_phone_number: str | None = strawberry.field(
        description=f"The telephone number that the customer has not confirmed. {READ}"
    )
    country_code: str | None = strawberry.field(description=f"The country of the customer. {READ}")
    email: str | None = strawberry.field(description=f"The e-mail address of the customer. {READ}")
    first_name: str | None = strawberry.field(description=f"The first name of the customer. {READ}")
    last_name: str | None = strawberry.field(description=f"The last name of the customer. {READ}")
    time_zone: str | None = strawberry.field(
        description=f"The time zone of the customer, such as `Europe/Oslo`. {READ}"
    )
    tags: list[str] | None = strawberry.field(description=f"The tags of the customer. {READ}")
    shipping_rate: int | None = strawberry.field(description=f"The shipping rate of the customer. {READ}")
    unsubscribed: bool = strawberry.field(description="Whether the customer receives no messages.")
    billing_address: JSON | None = strawberry.field(description=f"The billing address of the customer. {READ}")
    shipping_address: JSON | None = strawberry.field(description=f"The shipping address of the customer. {READ}")
    card: JSON | None = strawberry.field(description=f"The payment card of the customer. {READ}")
    company_name: str | None = strawberry.field(description=f"The company of the customer. {READ}")
    confirmed_at: datetime | None = strawberry.field(
        description=f"The time of the confirmation of the customer's telephone number. {READ}"
    )
    profile: Annotated["Profile", strawberry.lazy("app.directory.graphql.customer_types")] | None = strawberry.field(
        description="The profile of the customer."
    )
    created_at: datetime = strawberry.field(description="The time of the customer's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the customer.")
    version: int = strawberry.field(description="The number of edits of the customer, from 1.")


@strawberry.type(description="A person, with all their customers in all systems.")
class Profile(Node):
    hidden_fields: list[str] = strawberry.field(description=HIDDEN)
    salutation: Salutation | None = strawberry.field(description=f"The salutation of the profile. {READ}")
    name: str = strawberry.field(description="The name of the profile.")
    gender: Gender | None = strawberry.field(description=f"The gender of the profile. {READ}")
    blocked: bool = strawberry.field(
        description="Whether the person is blocked: no message is sent to any of their customers."
    )
    date_of_birth: date | None = strawberry.field(description=f"The date of birth of the profile. {READ}")
    phone_number: str | None = strawberry.field(description=f"The telephone number of the profile. {READ}")
    email: str | None = strawberry.field(description=f"The e-mail address of the profile. {READ}")
    address: str | None = strawberry.field(description=f"The address of the profile. {READ}")
    custom_1: str | None = strawberry.field(description=f"The first custom field of the profile. {READ}")
    custom_2: str | None = strawberry.field(description=f"The second custom field of the profile. {READ}")
    custom_3: str | None = strawberry.field(description=f"The third custom field of the profile. {READ}")
    custom_4: str | None = strawberry.field(description=f"The fourth custom field of the profile. {READ}")
    custom_5: str | None = strawberry.field(description=f"The fifth custom field of the profile. {READ}")
    customers: Connection[Customer] | None = edge(
        description=f"The customers of the profile, in the order in which they were created. {READ}", **PAGING
    )
    created_at: datetime = strawberry.field(description="The time of the profile's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the profile.")
    version: int = strawberry.field(description="The number of edits of the profile, from 1.")
