"""Errors of requests that are malformed."""

from app.core import codes
from app.core.errors import Unavailable


class BadRequest(Exception):
    """The request is refused before any rule is applied, usually because it is malformed."""

    def __init__(self, status: int, message: str, *headers: tuple[bytes, bytes], code: str = codes.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers
        self.code = code


def later(error: Unavailable) -> BadRequest:
    """Raised when the request is well-formed and may be sent again soon."""
    return BadRequest(503, error.message, (b"retry-after", b"1"), code=error.code)
