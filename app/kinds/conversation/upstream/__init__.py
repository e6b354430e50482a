"""The systems whose exchanges become Conversations."""

from app.kinds.conversation.upstream.http_source import HttpSource

CONNECTORS = (HttpSource(),)
"""A connector for each system."""
