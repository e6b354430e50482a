"""The messaging bot's inbox: read by its lists, written by its operations."""

from app.kinds.conversation.upstream.voicebot.connector import Voicebot

__all__ = ("Voicebot",)
