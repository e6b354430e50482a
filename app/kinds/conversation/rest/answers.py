"""What the contract answers, as its clients see it."""

from typing import Annotated, Generic, Literal, NotRequired, TypeVar

from pydantic import Field
from typing_extensions import TypedDict

from app.kinds.conversation.rest.shapes import Content

T = TypeVar("T")

Moment = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$",
        description="UTC, to the second.",
        json_schema_extra={"format": "date-time"},
        examples=["2023-01-01T12:00:00Z"],
    ),
]
Day = Annotated[str, Field(json_schema_extra={"format": "date"}, examples=["1970-01-01"])]
Channel = Literal["bridge", "whatsapp", "widget"]
Status = Literal["to-do", "in-progress", "done"]
DisplayId = Annotated[
    str, Field(description="Who this is on the channel, such as a telephone number.", examples=["4915223567929"])
]


class Agent(TypedDict):
    """A business's own identity on a channel, such as a number registered with WhatsApp."""

    id: int
    channel: Channel
    display_id: DisplayId
    name: str
    in_sync: Annotated[bool, Field(description="False once it is disconnected: nothing can be sent by it.")]
    unread_conversations_count: int


class Profile(TypedDict):
    """A person, who may be several customers."""

    id: int
    salutation: NotRequired[Literal["formal_male", "formal_female", "informal"]]
    name: str
    gender: NotRequired[Literal["undisclosed", "male", "female", "diverse"]]
    blocked: Annotated[bool, Field(description="Nothing is received from who is blocked.")]
    date_of_birth: Day | None
    phone_number: Annotated[str, Field(examples=["+4915224367929"])] | None
    email: Annotated[str, Field(json_schema_extra={"format": "email"})] | None
    address: str | None
    custom_1: str | None
    custom_2: str | None
    custom_3: str | None
    custom_4: str | None
    custom_5: str | None
    created_at: Moment | None
    updated_at: Moment | None


class Customer(TypedDict):
    """One identity of a person on a channel; what is unknown of it is left out."""

    id: int
    channel: NotRequired[Channel]
    display_id: NotRequired[DisplayId]
    name: NotRequired[str]
    profile: NotRequired[Profile]


class User(TypedDict):
    """Who works here; roles and permissions are shown to those who may see them."""

    id: int
    name: str
    email: Annotated[str, Field(description="The upstream declares an integer here; it is text.")] | None
    roles: NotRequired[list[str]]
    permissions: NotRequired[list[Annotated[str, Field(pattern="^[a-z_]+:[a-z]+$", examples=["directory:read"])]]]
    created_at: Moment | None
    updated_at: Moment | None


class MessageError(TypedDict):
    """Why a message was not sent or received."""

    id: int
    message_id: int
    type: Literal["status-update", "other"]
    original_message: Annotated[str, Field(description="In the channel's own words.")]
    created_at: Moment | None


class WhatsappCampaign(TypedDict):
    """A campaign."""

    id: int
    name: str


_From = TypedDict("_From", {"from": Literal["system", "agent", "customer"]})


class Message(_From):
    """A message of a conversation; the one that it refers to comes without its own reference."""

    id: int
    conversation_id: int
    source: Literal["user", "whatsapp-campaign"]
    user_id: int | None
    contents: Annotated[list[Content], Field(min_length=1)]
    status: Literal["created", "sent", "delivered", "read", "error"]
    agent_reaction: str | None
    customer_reaction: str | None
    sent_at: Moment | None
    reference: "NotRequired[Message | None]"
    latest_error: MessageError | None
    whatsapp_campaign: WhatsappCampaign | None


class Note(TypedDict):
    """A note on a conversation, which customers do not see."""

    id: int
    conversation_id: int
    text: str
    created_at: Moment | None
    updated_at: Moment | None


class Conversation(TypedDict):
    """An exchange of a customer with a channel agent; `user` is there while somebody is assigned."""

    id: int
    created_at: Moment | None
    channel: Channel
    status: Status
    snooze_until: Moment | None
    agent: Agent
    customer: NotRequired[Customer]
    user: NotRequired[User]
    latest_message: Message | None
    latest_customer_message: Message | None
    last_customer_reply_from: Annotated[
        Moment | None, Field(description="When the customer last wrote, also where that message was deleted.")
    ]
    latest_note: Note | None
    unread_customer_messages_count: int
    reply_until: Annotated[Moment | None, Field(description="Until when the channel takes a reply in free form.")]
    reply_possible: Annotated[bool, Field(description="Whether the channel would take a reply in free form now.")]
    customer_interaction_required: Annotated[
        bool, Field(description="Whether the customer has to write before a reply in free form is possible.")
    ]


class Link(TypedDict):
    """The address of a page."""

    url: str | None
    label: str
    active: bool


class Links(TypedDict):
    """The addresses of neighbouring pages."""

    first: str
    last: str
    prev: str | None
    next: str | None


_Start = TypedDict("_Start", {"from": int | None})


class Meta(_Start):
    """Which page this is, of how many."""

    current_page: int
    to: int | None
    last_page: int
    per_page: int
    total: int
    path: str
    links: list[Link]


class Page(TypedDict, Generic[T]):
    """A page of a list."""

    data: list[T]
    links: Links
    meta: Meta


class Data(TypedDict, Generic[T]):
    """What was asked for."""

    data: T


class Refusal(TypedDict):
    """Why a request was not done; `errors` by field where its content is at fault."""

    message: str
    errors: NotRequired[dict[str, list[str]]]
