"""Sessions and their suggested messages as rows, and how selections read them."""

from app.kinds.session.repository.mapping import MAPPINGS, ROOTS
from app.kinds.session.repository.sessions import SessionRepository

__all__ = ("MAPPINGS", "ROOTS", "SessionRepository")
