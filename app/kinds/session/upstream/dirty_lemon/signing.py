"""Verifies the messaging bot's events by a shared secret."""

import base64
import binascii
import hmac
from collections.abc import Mapping

import orjson


class SharedSecret:
    """The header `authorization` with the connection's secret: as Bearer, as Token, or as the password of Basic."""

    def key(self, headers: Mapping[str, str], body: str) -> str:
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError:
            return ""
        return str(found.get("id", "")) if isinstance(found, dict) else ""

    def is_made_with(self, secret: str, headers: Mapping[str, str], body: str) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                _, _, given = base64.b64decode(given.strip(), validate=True).decode().partition(":")
            except (binascii.Error, ValueError):
                return False
        elif scheme.lower() not in ("bearer", "token"):
            return False
        # Without an id, a repeat could not be recognized.
        return bool(self.key(headers, body)) and hmac.compare_digest(given.strip().encode(), secret.encode())
