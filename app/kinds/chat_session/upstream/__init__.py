"""The systems whose chats become ChatSessions."""

from app.kinds.chat_session.upstream.superoffice import SuperOffice

CONNECTORS = (SuperOffice(),)
"""A connector for each system."""
