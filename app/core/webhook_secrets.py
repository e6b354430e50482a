"""Secrets with which webhooks are signed, as Standard Webhooks spell them."""

import secrets
from base64 import b64encode

PREFIX = "whsec_"
"""What such a secret begins with; base64 follows."""


def new_webhook_secret() -> str:
    """A random secret."""
    return PREFIX + b64encode(secrets.token_bytes(32)).decode("ascii")
