"""The messaging bot's inbox: read through its lists, written by its operations."""

from app.kinds.conversation.upstream.voicebot.connector import Voicebot

__all__ = ("Voicebot",)
