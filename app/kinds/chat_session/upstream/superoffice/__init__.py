"""SuperOffice: reads its chats by REST and webhooks, writes to them."""

from app.kinds.chat_session.upstream.superoffice.connector import SuperOffice

__all__ = ("SuperOffice",)
