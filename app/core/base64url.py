"""Bytes as base64url text without padding (RFC 4648)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encoded(content: bytes) -> str:
    """The text for these bytes."""
    return urlsafe_b64encode(content).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """The bytes of a text, with or without padding. Raises ValueError for a text that is not base64url."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
