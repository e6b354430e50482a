"""The messaging bot's answers, as far as they are used."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Field

from app.connections.shapes import Shape, digest_of, read_shape
from app.directory.model import Channel
from app.interactions.connector import Unmappable
from app.interactions.messages import MessageAuthor, MessageStatus
from app.kinds.conversation.model.conversation import Status
from app.rest.bodies import Moment

_Word = Annotated[str, Field(max_length=64)]


class Profile(Shape):
    """The person behind a customer."""

    name: str | None = None
    blocked: bool = False
    phone_number: str | None = None
    email: str | None = None


class Customer(Shape):
    """A customer there."""

    id: int
    display_id: str | None = None
    name: str | None = None
    profile: Profile | None = None


class User(Shape):
    """A user there."""

    id: int
    name: str | None = None
    email: str | None = None


class Agent(Shape):
    """The business's own account on a channel."""

    id: int
    channel: _Word
    display_id: str
    name: str
    in_sync: bool = True


class Error(Shape):
    """Why a message failed."""

    original_message: str | None = None


class Message(Shape):
    """A message."""

    id: int
    author: _Word = Field(alias="from")
    user_id: int | None = None
    contents: list[dict[str, Any]]
    status: _Word
    agent_reaction: str | None = None
    customer_reaction: str | None = None
    sent_at: Moment
    latest_error: Error | None = None

    @property
    def stored_author(self) -> MessageAuthor:
        return _AUTHORS.get(self.author, MessageAuthor.SYSTEM)

    @property
    def stored_status(self) -> MessageStatus:
        return _STATUSES.get(self.status, MessageStatus.SENT)

    @property
    def stored_contents(self) -> Sequence[Mapping[str, Any]]:
        """The contents with the known members, and without links to files, which would need a token."""
        found = [_content(each) for each in self.contents]
        return found or [{"type": "text", "content": _EMPTY}]

    @property
    def text(self) -> str | None:
        """The text of a message that is one text."""
        (only, *more) = self.contents or [{}]
        said = only.get("content")
        return said if not more and only.get("type") == "text" and isinstance(said, str) else None


class Note(Shape):
    """A note on a conversation, which customers do not see."""

    id: int
    text: str = ""
    created_at: Moment | None = None


class Conversation(Shape):
    """A conversation."""

    id: int
    status: _Word
    snooze_until: Moment | None = None
    agent: Agent
    customer: Customer | None = None
    user: User | None = None
    last_customer_reply_from: Moment | None = None
    latest_note: Note | None = None
    unread_customer_messages_count: int = 0
    reply_until: Moment | None = None
    customer_interaction_required: bool = False

    @property
    def stored_status(self) -> Status:
        found = self.status.upper().replace("-", "_")
        try:
            return Status(found)
        except ValueError:
            raise Unmappable(f"The status {self.status} is not known here.") from None

    @property
    def stored_channel(self) -> Channel:
        try:
            return Channel(self.agent.channel.upper())
        except ValueError:
            raise Unmappable(f"The channel {self.agent.channel} is not known here.") from None


_AUTHORS = {"customer": MessageAuthor.CUSTOMER, "agent": MessageAuthor.USER, "system": MessageAuthor.SYSTEM}
_STATUSES = {each.value.lower(): each for each in MessageStatus}
_EMPTY = "(empty)"
_FILE = ("uuid", "name", "mime_type", "size", "download_url")
_MEMBERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "text": ("content",),
        "image": (*_FILE, "caption"),
        "video": (*_FILE, "caption"),
        "audio": (*_FILE, "voice"),
        "document": (*_FILE, "filename", "caption"),
        "location": ("latitude", "longitude", "address", "name", "url"),
        "contact": ("name", "birthday", "phones", "emails", "addresses", "org"),
    }
)


def read_conversation(value: Any) -> Conversation:
    """The conversation. Raises Unanswered for an invalid one."""
    return read_shape(Conversation, value, "conversation")


def read_messages(values: Any) -> list[Message]:
    """The messages of a page. Raises Unanswered for invalid ones."""
    return [read_shape(Message, each, "message") for each in values]


def read_notes(values: Any) -> list[Note]:
    """The notes of a page. Raises Unanswered for invalid ones."""
    return [read_shape(Note, each, "note") for each in values]


def digest_of_conversation(value: Mapping[str, Any]) -> str:
    """A digest of everything that a list says about a conversation, except the numbers counted over its account."""
    agent = value.get("agent")
    in_sync = agent.get("in_sync") if isinstance(agent, dict) else None
    return digest_of({**value, "agent": in_sync})


def _content(given: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = str(given.get("type"))
    members = _MEMBERS.get(kind)
    if members is None:
        return {"type": "text", "content": f"({kind[:64]})"}
    return {"type": kind, **{name: given[name] for name in members if given.get(name) is not None}}
