"""The stored rows of conversations and channel agents: named queries for commands."""

from app.kinds.conversation.repository.channel_agents import ChannelAgentRepository
from app.kinds.conversation.repository.conversations import ConversationRepository

__all__ = ("ChannelAgentRepository", "ConversationRepository")
