"""The messaging bot by text message: it tells of events, and its customers' sessions are read and written."""

from app.kinds.session.upstream.dirty_lemon.connector import DirtyLemon

__all__ = ("DirtyLemon",)
