"""What a delivery of an HTTP source contains."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from app.core import json_input
from app.core.errors import InvalidInput, TooComplex
from app.graph.scalars import refuse_unstorable_text
from app.interactions.connector import Unmappable
from app.interactions.messages import MessageAuthor, MessageErrorType, MessageStatus
from app.interactions.messages import MessageError as StoredError
from app.rest.bodies import Body, Faults, Listed, Moment, Ruled

MOST_ITEMS = 100
"""The most messages, and the most statuses, in one delivery."""

LONGEST_KEY = 200
"""Characters of a customer's key."""

_NO_REASON = "The other system gives no reason."


class _Part(Body):
    faults: ClassVar[Faults] = Faults(MappingProxyType({"missing": "{name} is missing."}))


class Customer(_Part):
    """The customer that the whole delivery is about. What is absent is not changed."""

    key: str
    name: Ruled[str | None] = None
    display_id: Ruled[str | None] = None
    first_name: Ruled[str | None] = None
    last_name: Ruled[str | None] = None
    phone_number: Ruled[str | None] = None
    email: Ruled[str | None] = None
    country_code: Ruled[str | None] = None
    time_zone: Ruled[str | None] = None

    def fields(self) -> dict[str, Any]:
        """The customer's given fields, without the key."""
        found: dict[str, Any] = self.given()
        return {name: value for name, value in found.items() if name != "key"}


class _Status(_Part):
    status: Literal["SENT", "DELIVERED", "READ", "ERROR"] | None = None
    error: str | None = None

    @property
    def stored_status(self) -> MessageStatus:
        return MessageStatus.SENT if self.status is None else MessageStatus(self.status)

    @property
    def stored_error(self) -> StoredError | None:
        """Why it was not delivered; None for any status but ERROR."""
        if self.stored_status is not MessageStatus.ERROR:
            return None
        said = (self.error or "").strip() or _NO_REASON
        return StoredError(type=MessageErrorType.STATUS_UPDATE, original_message=said)


class Message(_Status):
    """A message of the customer or to it: with its `key` in the other system, or with our `id` when it is ours."""

    author: Literal["CUSTOMER", "USER", "BOT"]
    sent_at: Moment
    key: str | None = None
    id: str | None = None
    user: str | None = None
    text: str | None = None
    contents: list[dict[str, Any]] | None = None

    @property
    def stored_author(self) -> MessageAuthor:
        return MessageAuthor(self.author)

    @property
    def stored_contents(self) -> Sequence[Mapping[str, Any]]:
        """The contents as commands take them; a text becomes one content."""
        if self.contents is not None:
            return self.contents
        return [] if self.text is None else [{"type": "text", "content": self.text}]


class Status(_Status):
    """The delivery status of a message: one with this `key` in the other system, or with our `id`."""

    status: Literal["SENT", "DELIVERED", "READ", "ERROR"]
    key: str | None = None
    id: str | None = None


class Labels(_Part):
    """Labels to add to the conversation, and to remove from it."""

    add: Listed[str] = Field(default=[])
    remove: Listed[str] = Field(default=[])


class Delivery(_Part):
    """Everything that a delivery says about one customer and the conversation with it."""

    customer: Customer
    messages: Listed[Message] = Field(default=[])
    statuses: Listed[Status] = Field(default=[])
    labels: Labels | None = None
    imported: bool = False


class Named(NamedTuple):
    """The values by which a delivery names its customer."""

    key: str
    display_id: str | None


def named_customer(body: str) -> Named | None:
    """The customer of a delivery that may be invalid otherwise; None when that cannot be read."""
    try:
        value = json_input.loads(body.encode())
        refuse_unstorable_text(value)
    except (json_input.NotJson, TooComplex, InvalidInput):
        return None
    given = value.get("customer") if isinstance(value, dict) else None
    if not isinstance(given, dict) or not isinstance(given.get("key"), str):
        return None
    display_id = given.get("display_id")
    return Named(given["key"], display_id if isinstance(display_id, str) else None)


def read_delivery(body: str) -> Delivery:
    """The delivery in the text. Raises Unmappable, and InvalidInput for an invalid member."""
    try:
        value = json_input.loads(body.encode())
    except json_input.NotJson:
        raise Unmappable("The body is not JSON.") from None
    except TooComplex as error:
        raise Unmappable(error.message) from None
    if not isinstance(value, dict):
        raise Unmappable("The body is not a JSON object.")
    refuse_unstorable_text(value)
    found = Delivery.read(value)
    for name, items in (("messages", found.messages), ("statuses", found.statuses)):
        if len(items) > MOST_ITEMS:
            raise Unmappable(f"{name} holds more than {MOST_ITEMS} items.")
    if not 1 <= len(found.customer.key) <= LONGEST_KEY:
        raise Unmappable(f"customer.key has to have 1 to {LONGEST_KEY} characters.")
    return found
