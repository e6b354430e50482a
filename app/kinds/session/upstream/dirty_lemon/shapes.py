"""The messaging bot's answers and events, as far as they are used."""

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any

import orjson
from pydantic import Field

from app.connections.shapes import Shape, read_shape
from app.interactions.contents import LONGEST_TEXT
from app.interactions.messages import MessageAuthor, MessageStatus
from app.interactions.remote import Unanswered
from app.kinds.session.model import LONGEST_CONTENT, LONGEST_REMOTE_ID, LONGEST_TAG
from app.rest.bodies import Moment

_ID = "[0-9a-zA-Z_-]{1,64}"
"""The form of an id; the bot's pages only show UUIDs."""

Id = Annotated[str, Field(pattern=f"^{_ID}$")]

_Word = Annotated[str, Field(max_length=64)]
_AUTHORS: Mapping[str, MessageAuthor] = MappingProxyType(
    {
        "end-user": MessageAuthor.CUSTOMER,
        "agent": MessageAuthor.USER,
        "bot": MessageAuthor.BOT,
        # The former name of the bot's messages.
        "init": MessageAuthor.BOT,
    }
)


class Message(Shape):
    """A message."""

    id: Annotated[str, Field(min_length=1, max_length=255)]
    content: str
    sender_role: _Word
    sent_at: Moment
    delivered_at: Moment | None = None

    @property
    def author(self) -> MessageAuthor:
        return _AUTHORS.get(self.sender_role, MessageAuthor.SYSTEM)

    @property
    def status(self) -> MessageStatus:
        return MessageStatus.SENT if self.delivered_at is None else MessageStatus.DELIVERED

    @property
    def text(self) -> str:
        """Its text, cut to what a message may hold; never empty."""
        return self.content[:LONGEST_TEXT] if self.content.strip() else "(empty)"


class Suggestion(Shape):
    """A suggested message."""

    id: str
    remote_id: str | None = None
    content: str

    @property
    def stored_id(self) -> str:
        """Its id in the system that suggested it."""
        return (self.remote_id or self.id)[:LONGEST_REMOTE_ID]

    @property
    def stored_content(self) -> str:
        return self.content[:LONGEST_CONTENT]


class Session(Shape):
    """A session. Which fields it has beyond these depends on the operation."""

    id: Annotated[str, Field(pattern="^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
    customer_id: Id
    need_attention: bool = False
    tags: list[str] = Field(default_factory=list)
    topics: list[str] = Field(default_factory=list)
    messages: list[Message] | None = None
    suggested_messages: list[Suggestion] | None = None
    created_at: Moment

    def words(self, name: str) -> tuple[str, ...]:
        """Its tags or topics, each once."""
        given = self.tags if name == "tags" else self.topics
        return tuple(dict.fromkeys(each[:LONGEST_TAG] for each in given if each.strip()))


class Customer(Shape):
    """A customer there."""

    id: Id
    phone_number: str | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    country_code: str | None = None
    time_zone: str | None = None
    unsubscribed: bool = False


def read_session(value: Any) -> Session:
    """The session. Raises Unanswered for an invalid one."""
    return read_shape(Session, value, "session")


def read_message(value: Any) -> Message:
    """The message. Raises Unanswered for an invalid one."""
    return read_shape(Message, value, "message")


def read_customer(value: Any) -> Customer:
    """The customer. Raises Unanswered for an invalid one."""
    return read_shape(Customer, value, "customer")


def read_list(value: Any) -> list[dict[str, Any]]:
    """The items of a list. Raises Unanswered for an invalid one."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Unanswered("The other system answered a list that is not understood.", arrived=True)
    return value


def key_of(session: Session) -> str:
    """The key of a session for the connection. It contains the customer, because sessions are read by customer."""
    return f"{session.customer_id}/{session.id}"


def written(moment: datetime) -> str:
    """A time as the bot has it, to the millisecond."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def is_id(value: object) -> bool:
    """Whether the text may be an id."""
    return isinstance(value, str) and re.fullmatch(_ID, value) is not None


def is_event(body: str) -> bool:
    """Whether this is an event, of any type."""
    return _event(body) is not None


def named(body: str) -> tuple[str, str] | None:
    """The customer and the session that an event is about; None when it names none."""
    found = _event(body)
    if found is None:
        return None
    name, data = found
    session = data.get("session_id" if name.startswith("message.") else "id")
    customer = data.get("customer_id")
    if not name.startswith(("session.", "message.")) or not is_id(session) or not is_id(customer):
        return None
    return str(customer), str(session)


def _event(body: str) -> tuple[str, Mapping[str, Any]] | None:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    name = found.get("name") if isinstance(found, dict) else None
    data = found.get("data") if isinstance(found, dict) else None
    return (name, data) if isinstance(name, str) and isinstance(data, dict) else None
