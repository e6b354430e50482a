"""SuperOffice's answers, as far as they are used."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from app.connections.shapes import Shape, read_shape
from app.interactions.connector import Unmappable
from app.interactions.messages import MessageAuthor
from app.kinds.chat_session.model.limits import LENGTHS, REFERENCE_LENGTH, REFERENCES
from app.kinds.chat_session.model.session import (
    STATUS_OF_WIRE,
    ChatMessageSpecialType,
    ChatMessageType,
    ChatSessionStatus,
    Reference,
)

_SPECIAL_TYPES = {each.wire: each for each in ChatMessageSpecialType}
_TYPES = {each.wire: each for each in ChatMessageType}
_BOTS = (ChatMessageSpecialType.BOT_MESSAGE, ChatMessageSpecialType.OPTIONS)
_LONGEST_PARAM = 255
_EMPTY = "(empty)"


def _moment(value: object) -> object:
    """A time as SuperOffice writes it: in UTC if it has no zone, and None in the year 1."""
    if not isinstance(value, str):
        return value
    found = datetime.fromisoformat(value)
    if found.year == 1:
        return None
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)


_Moment = Annotated[datetime | None, BeforeValidator(_moment)]
_Word = Annotated[str, Field(max_length=64)]


class _Shape(Shape):
    model_config = ConfigDict(alias_generator=to_pascal)


class Associate(_Shape):
    """A user there."""

    associate_id: int | None = None
    name: str | None = None
    full_name: str | None = None


class Session(_Shape):
    """A chat."""

    chat_session_id: int
    topic_id: int = 0
    user: Associate | None = None
    transfer_to: Associate | None = None
    person: dict[str, Any] | None = None
    contact: dict[str, Any] | None = None
    project: dict[str, Any] | None = None
    sale: dict[str, Any] | None = None
    ticket: dict[str, Any] | None = None
    customer_alias: str | None = None
    customer_host: str | None = None
    customer_name: str | None = None
    customer_email: str | None = None
    customer_phone: str | None = None
    customer_company_name: str | None = None
    customer_consented: bool = False
    status: _Word
    first_message: str | None = None
    last_message: str | None = None
    when_requested: _Moment = None
    when_started: _Moment = None
    when_ended: _Moment = None
    when_idle: _Moment = None
    when_fetched: _Moment = None
    initial_queue_pos: int = 0
    alert_level: int = 0
    flags: str | int | None = None
    chatbot_is_active: bool = False
    rating: int = 0

    @property
    def stored_status(self) -> ChatSessionStatus:
        found = STATUS_OF_WIRE.get(self.status)
        if found is None:
            raise Unmappable(f"The status {self.status} is not known here.")
        return found

    @property
    def holder(self) -> Associate | None:
        """Who holds the chat. An associate without a number is nobody."""
        return self.user if self.user is not None and self.user.associate_id else None

    @property
    def offered_to(self) -> Associate | None:
        """The user to whom the chat is being transferred."""
        return self.transfer_to if self.transfer_to is not None and self.transfer_to.associate_id else None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of a chat that an update may change, as a chat has them here."""
        texts = {name: _cut(getattr(self, name), limit) for name, limit in LENGTHS.items()}
        references = {name: _reference(name, getattr(self, name)) for name in REFERENCES}
        return {
            **texts,
            **references,
            "customer_consented": self.customer_consented,
            "alert_level": max(self.alert_level, 0),
            "user_is_typing": "UserIsTyping" in str(self.flags) or self.flags == 1,
            "bot_active": self.chatbot_is_active,
            "rating": self.rating or None,
        }


class Message(_Shape):
    """A message of a chat."""

    chat_message_id: int
    type: _Word = "Invalid"
    message: str | None = None
    author: str | None = None
    read_by_customer: int = 0
    special_type: _Word | None = None
    special_param: str | None = None
    when_posted: _Moment = None

    @property
    def kind(self) -> ChatMessageType:
        return _TYPES.get(self.type, ChatMessageType.INVALID)

    @property
    def special(self) -> ChatMessageSpecialType:
        return _SPECIAL_TYPES.get(self.special_type or "", ChatMessageSpecialType.NONE)

    @property
    def stored_author(self) -> MessageAuthor:
        if self.kind is ChatMessageType.TO_USER:
            return MessageAuthor.CUSTOMER
        if self.kind is not ChatMessageType.TO_CUSTOMER or self.special is ChatMessageSpecialType.WELCOME:
            return MessageAuthor.SYSTEM
        return MessageAuthor.BOT if self.special in _BOTS else MessageAuthor.USER

    @property
    def text(self) -> str:
        """The text to show for the message. A message without words shows what it is."""
        if self.message and self.message.strip():
            return self.message
        return _EMPTY if self.special is ChatMessageSpecialType.NONE else f"({self.special.wire})"

    @property
    def columns(self) -> Mapping[str, Any]:
        """The columns of a chat's message beyond those of all messages."""
        return {
            "message_type": self.kind.value,
            "special_type": self.special.value,
            "special_param": _cut(self.special_param, _LONGEST_PARAM),
            "author_name": _cut(self.author, _LONGEST_PARAM),
            "read_by_customer": bool(self.read_by_customer) if self.kind is ChatMessageType.TO_CUSTOMER else None,
        }


def read_session(value: Any) -> Session:
    """The chat. Raises Unanswered for an invalid one."""
    return read_shape(Session, value, "chat")


def read_messages(values: Sequence[Any]) -> list[Message]:
    """The messages, in the order of their numbers. Raises Unanswered for invalid ones."""
    found = [read_shape(Message, each, "message") for each in values]
    return sorted(found, key=lambda each: each.chat_message_id)


def wire_of(name: str, value: Any) -> Any:
    """A field of a chat as SuperOffice spells it."""
    if isinstance(value, ChatSessionStatus):
        return value.wire
    if name in REFERENCES and isinstance(value, Mapping):
        return {_pascal(item): held for item, held in value.items()}
    if name == "user_is_typing":
        return "UserIsTyping" if value else "CustomerIsTyping"
    return value


def _reference(name: str, given: Mapping[str, Any] | None) -> Reference | None:
    items = REFERENCES[name]
    held = {item: _item(kind, (given or {}).get(_pascal(item))) for item, kind in items.items()}
    number = held[next(iter(items))]
    if not isinstance(number, int) or number < 1:
        return None
    return {item: value for item, value in held.items() if value is not None}


def _item(kind: type, value: Any) -> Any:
    if kind is str:
        return _cut(value, REFERENCE_LENGTH) if isinstance(value, str) and value else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _cut(value: str | None, limit: int) -> str | None:
    found = None if value is None else value.replace("\0", "")[:limit]
    return found or None


def _pascal(item: str) -> str:
    return "".join(part.capitalize() for part in item.split("_"))
