"""The chat session with every field and enum of its contract."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import TypedDict

from app.interactions.history import REFERENCE
from app.interactions.model import Facets, Interaction

KIND = "chat_session"
PREFIX = "chs"
MASK = "********"
"""The mask that is shown wherever a chat's session key is read."""

Reference = Mapping[str, object]
"""An object in another part of the contract's system: its id and what is shown of it, under snake_case names."""


class ChatSessionStatus(StrEnum):
    """The status of a chat; the contract's ChatSessionStatus in the order of its numbers."""

    INVALID = "INVALID"
    PRE_CHAT_FORM = "PRE_CHAT_FORM"
    FAQ = "FAQ"
    OFFLINE_FORM = "OFFLINE_FORM"
    IN_QUEUE = "IN_QUEUE"
    CUSTOMER_LAST = "CUSTOMER_LAST"
    USER_LAST = "USER_LAST"
    FINISHED = "FINISHED"
    DELETED = "DELETED"
    CLOSED = "CLOSED"
    REQUEST_POSTED = "REQUEST_POSTED"
    CLOSED_FROM_QUEUE = "CLOSED_FROM_QUEUE"

    @property
    def wire(self) -> str:
        """The name that the contract spells it with: `InQueue`."""
        return _pascal(self.value)


class ChatMessageType(StrEnum):
    """The recipient of a chat message; the contract's ChatMessageType in the order of its numbers."""

    INVALID = "INVALID"
    TO_CUSTOMER = "TO_CUSTOMER"
    TO_USER = "TO_USER"
    SPECIAL = "SPECIAL"

    @property
    def wire(self) -> str:
        return _pascal(self.value)


class ChatMessageSpecialType(StrEnum):
    """What a chat message is beyond its text; the contract's ChatMessageSpecialType.

    `TRANSFERED_SESSION` is the contract's own spelling."""

    NONE = "NONE"
    WELCOME = "WELCOME"
    URL = "URL"
    BLOCK = "BLOCK"
    NEW_SESSION = "NEW_SESSION"
    TRANSFERED_SESSION = "TRANSFERED_SESSION"
    ERROR = "ERROR"
    SESSION_DELETED = "SESSION_DELETED"
    FAQ_SUCCESS_QUESTION = "FAQ_SUCCESS_QUESTION"
    CLOSED_BY_USER = "CLOSED_BY_USER"
    CLOSED_BY_CUSTOMER = "CLOSED_BY_CUSTOMER"
    CLOSED_BY_IDLE = "CLOSED_BY_IDLE"
    TRANSFER_REJECTED = "TRANSFER_REJECTED"
    REOPENED_BY_CUSTOMER = "REOPENED_BY_CUSTOMER"
    CLICKED_OPTION = "CLICKED_OPTION"
    BOT_MESSAGE = "BOT_MESSAGE"
    OPTIONS = "OPTIONS"
    ILLEGAL_FILE_TYPE = "ILLEGAL_FILE_TYPE"

    @property
    def wire(self) -> str:
        return _pascal(self.value)

    @property
    def number(self) -> int:
        """The contract's number; 4 is not used."""
        place = list(ChatMessageSpecialType).index(self)
        return place if place < 4 else place + 1


@cache
def _pascal(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


STATUS_OF_WIRE: Mapping[str, ChatSessionStatus] = {status.wire: status for status in ChatSessionStatus}

ACTIVE = frozenset({ChatSessionStatus.CUSTOMER_LAST, ChatSessionStatus.USER_LAST})
"""The statuses of an active chat. Rank counts a user's chats in them."""

ENDED = frozenset(
    {
        ChatSessionStatus.FINISHED,
        ChatSessionStatus.DELETED,
        ChatSessionStatus.CLOSED,
        ChatSessionStatus.REQUEST_POSTED,
        ChatSessionStatus.CLOSED_FROM_QUEUE,
    }
)
"""The statuses that count as closed."""

CLOSED = ENDED - {ChatSessionStatus.REQUEST_POSTED}
"""The statuses in which no work is left. A posted request waits for a human, so it is not among them."""

QUEUES = frozenset({ChatSessionStatus.IN_QUEUE, ChatSessionStatus.OFFLINE_FORM, ChatSessionStatus.REQUEST_POSTED})
"""The statuses of a chat that asks for a human. They end when a human takes it."""

FORMS = frozenset({ChatSessionStatus.PRE_CHAT_FORM, ChatSessionStatus.FAQ, ChatSessionStatus.OFFLINE_FORM})
"""The statuses in which the customer sees a form or a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSession(Interaction):
    """A live chat of a topic's queue.

    `bot_active` is the contract's ChatbotIsActive, `assignee_id` its User. `chat_session_id` is the contract's own key.
    `topic_id` and `transfer_to_id` are surrogates. Only the digest of the session key is stored, `session_key_digest`.
    `rank` is counted among the active chats of the user `rank_user_id`, None while the chat is not active. The
    following are only read from related rows: `responders` are the users who may respond in the topic. `connection_id`
    is the connection that the chat came through, and `cannot` are the commands that the connection cannot do; both are
    None for a chat of ours."""

    kind: str = KIND
    chat_session_id: int
    topic_id: int = field(metadata={REFERENCE: "top"})
    status: ChatSessionStatus
    person: Reference | None = None
    contact: Reference | None = None
    project: Reference | None = None
    sale: Reference | None = None
    ticket: Reference | None = None
    customer_alias: str | None = None
    customer_host: str | None = None
    customer_name: str | None = None
    customer_email: str | None = None
    customer_phone: str | None = None
    customer_company_name: str | None = None
    customer_consented: bool = False
    first_message: str | None = None
    last_message: str | None = None
    when_requested: datetime | None = None
    when_started: datetime | None = None
    when_ended: datetime | None = None
    when_idle: datetime | None = None
    when_fetched: datetime | None = None
    session_key_digest: str
    initial_queue_pos: int = 0
    alert_level: int = 0
    rank: int = 0
    rank_user_id: int | None = field(default=None, metadata={REFERENCE: "usr"})
    customer_is_typing: bool = False
    user_is_typing: bool = False
    transfer_to_id: int | None = field(default=None, metadata={REFERENCE: "usr"})
    rating: int | None = None
    responders: tuple[int, ...] = ()
    connection_id: int | None = None
    cannot: str | None = None

    @property
    def facets(self) -> Facets:
        return Facets(self.status.value, None, f"top_{self.topic_id}", str(self.chat_session_id))


class ChatSessionChanges(TypedDict, total=False):
    """The fields of an update. An absent key leaves the field unchanged, None clears it.

    `topic_id` is the topic's contract key. `session_key` is accepted only to be compared or ignored."""

    topic_id: int
    status: ChatSessionStatus
    person: Reference | None
    contact: Reference | None
    project: Reference | None
    sale: Reference | None
    ticket: Reference | None
    customer_alias: str | None
    customer_host: str | None
    customer_name: str | None
    customer_email: str | None
    customer_phone: str | None
    customer_company_name: str | None
    customer_consented: bool
    alert_level: int
    customer_is_typing: bool
    user_is_typing: bool
    chatbot_is_active: bool
    rating: int | None
    session_key: str | None


def is_active(session: ChatSession) -> bool:
    """Whether the chat is active, as the contract defines it."""
    return session.status in ACTIVE
