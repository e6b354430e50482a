"""SuperOffice: its chats are read by its REST contract and its webhooks, and written by its operations."""

from app.kinds.chat_session.upstream.superoffice.connector import SuperOffice

__all__ = ("SuperOffice",)
