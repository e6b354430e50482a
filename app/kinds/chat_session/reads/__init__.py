"""How selections read chats and topics."""

from app.kinds.chat_session.reads.mapping import (
    MAPPINGS,
    MEMBER_PREFIX,
    MESSAGE_TYPE,
    ROOTS,
    SPECIAL_TYPE,
    TOPIC_PREFIX,
)

__all__ = ("MAPPINGS", "MEMBER_PREFIX", "MESSAGE_TYPE", "ROOTS", "SPECIAL_TYPE", "TOPIC_PREFIX")
