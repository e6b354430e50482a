"""The text messaging bot: takes its events, reads and writes its sessions."""

from app.kinds.session.upstream.dirty_lemon.connector import DirtyLemon

__all__ = ("DirtyLemon",)
