"""Secrets that sign webhooks, as Standard Webhooks spell them."""

import secrets
from base64 import b64encode

PREFIX = "whsec_"
"""The prefix of such a secret. Base64 follows."""


def new_webhook_secret() -> str:
    """A random secret."""
    return PREFIX + b64encode(secrets.token_bytes(32)).decode("ascii")
