"""How chats and topics are kept: named queries for commands, and the mapping that selections read."""

from app.kinds.chat_session.repository.mapping import (
    MAPPINGS,
    MEMBER_PREFIX,
    MESSAGE_TYPE,
    ROOTS,
    SPECIAL_TYPE,
    TOPIC_PREFIX,
)
from app.kinds.chat_session.repository.sessions import ChatSessionRepository
from app.kinds.chat_session.repository.topics import ChatTopicRepository

__all__ = (
    "MAPPINGS",
    "MEMBER_PREFIX",
    "MESSAGE_TYPE",
    "ROOTS",
    "SPECIAL_TYPE",
    "TOPIC_PREFIX",
    "ChatSessionRepository",
    "ChatTopicRepository",
)
