"""The stored rows of conversations and channel agents: queries for commands, and the mapping that selections read."""

from app.kinds.conversation.repository.channel_agents import ChannelAgentRepository
from app.kinds.conversation.repository.conversations import ConversationRepository
from app.kinds.conversation.repository.mapping import MAPPINGS, ROOTS

__all__ = ("MAPPINGS", "ROOTS", "ChannelAgentRepository", "ConversationRepository")
