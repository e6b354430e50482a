"""Sessions and their suggested messages as rows."""

from app.kinds.session.repository.sessions import SessionRepository

__all__ = ("SessionRepository",)
