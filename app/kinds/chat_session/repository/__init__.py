"""How chats and topics are kept: named queries for commands, and the mapping that selections read."""

from app.kinds.chat_session.repository.sessions import ChatSessionRepository
from app.kinds.chat_session.repository.topics import ChatTopicRepository

__all__ = ("ChatSessionRepository", "ChatTopicRepository")
