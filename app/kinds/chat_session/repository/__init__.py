"""The stored rows of chats and topics: named queries for commands."""

from app.kinds.chat_session.repository.sessions import ChatSessionRepository
from app.kinds.chat_session.repository.topics import ChatTopicRepository

__all__ = (
    "ChatSessionRepository",
    "ChatTopicRepository",
)
