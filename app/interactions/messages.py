"""The model of a message."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.interactions.model import Interaction
from app.interactions.waiting import Answered, Bearing


class MessageAuthor(StrEnum):
    """Who wrote a message."""

    CUSTOMER = "CUSTOMER"
    USER = "USER"
    AI_AGENT = "AI_AGENT"
    BOT = "BOT"
    SYSTEM = "SYSTEM"


class SenderRole(StrEnum):
    """Who wrote a message, as a messaging bot's contract has it."""

    END_USER = "END_USER"
    AGENT = "AGENT"
    BOT = "BOT"


SENDER_ROLES = {MessageAuthor.CUSTOMER: SenderRole.END_USER, MessageAuthor.USER: SenderRole.AGENT}
"""The role of an author; BOT is that of every other."""


class MessageSource(StrEnum):
    """What caused a message."""

    USER = "USER"
    WHATSAPP_CAMPAIGN = "WHATSAPP_CAMPAIGN"


class MessageStatus(StrEnum):
    """The delivery status of a message."""

    CREATED = "CREATED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    READ = "READ"
    ERROR = "ERROR"


class MessageErrorType(StrEnum):
    """The origin of an error report."""

    STATUS_UPDATE = "STATUS_UPDATE"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageError:
    """Why a message could not be sent or received; `original_message` is the channel's own wording."""

    type: MessageErrorType = MessageErrorType.OTHER
    original_message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of an interaction. `id` is 0 until it is stored; `contents` are as `contents.py` checked them.

    `message_key` is the key that the channel `channel_key` gave it, or a UUID of ours. `text` is the plain text of all
    contents, None when they have none. `message_type` to `read_by_customer` are a chat's, `event_type` and `hidden` an
    agent session's."""

    id: int = 0
    interaction_id: int
    kind: str
    channel_key: str
    message_key: str
    author: MessageAuthor
    user_id: int | None = None
    source: MessageSource = MessageSource.USER
    contents: tuple[Mapping[str, object], ...]
    text: str | None = None
    status: MessageStatus = MessageStatus.CREATED
    sent_at: datetime
    delivered_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    agent_reaction: str | None = None
    customer_reaction: str | None = None
    reference_id: int | None = None
    campaign_id: int | None = None
    campaign_name: str | None = None
    latest_error_id: int | None = None
    message_type: str | None = None
    special_type: str | None = None
    special_param: str | None = None
    author_name: str | None = None
    read_by_customer: bool | None = None
    event_type: str | None = None
    hidden: bool | None = None
    bearing: Bearing | None = None
    error: MessageError | None = None


_BOTS = frozenset({MessageAuthor.BOT, MessageAuthor.AI_AGENT})


def is_answer(message: Message, interaction: Interaction, *, asked: bool) -> bool:
    """Whether a message to the customer answers the customer, in the interaction's current state.

    A message of a user does. A message of a bot does while the bot is in charge, nobody holds the interaction, and no
    human was requested, either `asked` for in the kind's own way or by raising the attention."""
    if message.author not in _BOTS:
        return message.author is MessageAuthor.USER
    in_charge = interaction.bot_active and interaction.assignee_id is None
    return in_charge and not asked and interaction.raised_level is None


def answered_by(message: Message) -> Answered:
    """The message as an answer."""
    by_user = message.author is MessageAuthor.USER
    return Answered(message.created_at, message.user_id if by_user else None, not by_user)
