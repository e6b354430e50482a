"""Secrets and unguessable paths that protect hooks."""

import base64
import binascii
import secrets

from app.core.errors import InvalidInput
from app.core.webhook_secrets import PREFIX

_LEAST, _MOST = 24, 64
_SAYS = f"A secret is {PREFIX} and {_LEAST} to {_MOST} bytes in base64, as Standard Webhooks have it."


def new_token() -> str:
    """A random part of a path."""
    return secrets.token_urlsafe(24)


def checked_secret(given: str) -> str:
    """The secret itself. Raises InvalidInput, which does not repeat it."""
    try:
        size = len(base64.b64decode(given.removeprefix(PREFIX), validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if not given.startswith(PREFIX) or not _LEAST <= size <= _MOST:
        raise InvalidInput(_SAYS, path=("secret",))
    return given
