"""What the contract answers, as its clients see it."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

Uuid = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
Moment = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
        description="UTC with three digits, as 2017-05-24T19:32:54.060Z.",
        json_schema_extra={"format": "date-time"},
    ),
]
Text = Literal["text"]
Role = Literal["end-user", "agent", "bot"]


class EmbeddedMessage(TypedDict):
    """A message within its session."""

    id: str
    session_id: Uuid
    content: str
    content_type: Text
    sender_role: Role
    sent_at: Moment
    created_at: Moment


class Message(EmbeddedMessage):
    """A message."""

    delivered_at: Moment | None
    updated_at: Moment


class SuggestedMessage(TypedDict):
    """A message that is suggested; `remote_id` is the caller's own id of it."""

    id: Uuid
    remote_id: str | None
    content: str
    content_type: Text


class CountedSuggestedMessage(SuggestedMessage):
    """A suggested message with how often it was picked."""

    selected_count: Annotated[int, Field(ge=0)]


class Session(TypedDict):
    """An exchange of a customer with the bot."""

    id: Uuid
    customer_id: str
    need_attention: bool
    tags: list[str]
    topics: list[str]
    messages: Annotated[list[EmbeddedMessage], Field(description="The 1,000 newest, the oldest first.")]
    suggested_messages: list[SuggestedMessage]
    created_at: Moment
    updated_at: Moment


class Customer(TypedDict):
    """A customer of the bot."""

    id: str
    phone_number: str | None
    country_code: str | None
    email: str | None
    first_name: str | None
    last_name: str | None
    time_zone: str | None
    tags: list[str]
    shipping_rate: int | None
    unsubscribed: bool
    billing_address: dict[str, Any] | None
    shipping_address: dict[str, Any] | None
    card: dict[str, Any] | None
    confirmed_at: Moment | None
    created_at: Moment
    updated_at: Moment


class Refusal(TypedDict):
    """What is wrong."""

    type: Literal[
        "bad_request",
        "unauthorized",
        "forbidden",
        "not_found",
        "routing_error",
        "method_not_allowed",
        "conflict",
        "payload_too_large",
        "unsupported_media_type",
        "record_invalid",
        "record_not_unique",
        "parameter_missing",
        "too_many_requests",
        "internal_server_error",
        "service_unavailable",
    ]
    message: str
    fields: NotRequired[Annotated[dict[str, str], Field(description="What is at fault, by its path.")]]


class Error(TypedDict):
    """Why nothing was done."""

    error: Refusal
