"""Commands on conversations and channel agents."""

from app.kinds.conversation.service.channel_agents import create_channel_agent, update_channel_agent
from app.kinds.conversation.service.conversations import (
    RESTART_TEXT,
    ConversationChanges,
    conversation_ref,
    delete_conversation,
    restart_conversation,
    update_conversation,
)
from app.kinds.conversation.service.opening import open_for
from app.kinds.conversation.service.rules import Rules

__all__ = (
    "RESTART_TEXT",
    "ConversationChanges",
    "Rules",
    "conversation_ref",
    "create_channel_agent",
    "delete_conversation",
    "open_for",
    "restart_conversation",
    "update_channel_agent",
    "update_conversation",
)
