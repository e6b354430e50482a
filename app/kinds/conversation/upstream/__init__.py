"""The systems whose exchanges become Conversations."""

from app.kinds.conversation.upstream.http_source import HttpSource
from app.kinds.conversation.upstream.voicebot import Voicebot

CONNECTORS = (HttpSource(), Voicebot())
"""A connector for each system."""
