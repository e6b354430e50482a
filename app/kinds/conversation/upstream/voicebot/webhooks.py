"""The messaging bot's webhooks: hints of what to read again."""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import orjson

from app.connections.signing import StandardWebhooks
from app.interactions.connector import Unmappable

SIGNATURES = (
    "signature",
    "x-signature",
    "x-webhook-signature",
    "x-voicebot-signature",
    "x-hub-signature-256",
)
"""The headers that may have an HMAC-SHA256 over the body. A setting names another one, which comes as the first."""

_USUAL = StandardWebhooks()
_ABOUT = (
    ("conversation_id",),
    ("conversation", "id"),
    ("data", "conversation_id"),
    ("data", "conversation", "id"),
    ("message", "conversation_id"),
    ("data", "message", "conversation_id"),
)
_WORDS = ("event", "type", "name", "topic")


class AnySignature:
    """Each usual way is accepted, as no page says how the secret signs a webhook: Standard Webhooks, an HMAC-SHA256
    over the body in hex or base64, and the secret itself in the header `authorization`."""

    def key(self, headers: Mapping[str, str], body: str) -> str:
        # Two webhooks with one body may tell of two changes. A repeat only has something read once more.
        return _USUAL.key(headers, body) or uuid4().hex

    def is_made_with(self, secret: str, headers: Mapping[str, str], body: str) -> bool:
        if headers.get("webhook-signature"):
            return _USUAL.is_made_with(secret, headers, body)
        made = hmac.digest(secret.encode(), body.encode(), "sha256")
        good = (made.hex().encode(), b64encode(made))
        return any(
            hmac.compare_digest(each, given) for given in _given(headers) for each in good
        ) or hmac.compare_digest(_shared(headers.get("authorization", "")), secret.encode())


def conversation_in(body: str) -> int | None:
    """The number of the conversation that the webhook is about; None where it does not say. Raises Unmappable for what
    is no JSON."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unmappable("The delivery is no JSON.") from None
    if not isinstance(found, dict):
        return None
    about = list(_ABOUT)
    said = next((found[name] for name in _WORDS if isinstance(found.get(name), str)), "").lower()
    if said.startswith("conversation") and "message" not in said and "note" not in said:
        about += [("data", "id"), ("id",)]
    return next((number for path in about if (number := _number(found, path)) is not None), None)


def _given(headers: Mapping[str, str]) -> Iterator[bytes]:
    """The signatures that the headers may have, without a name of the method before them."""
    for name in SIGNATURES:
        given = headers.get(name, "").strip()
        if given:
            yield given.removeprefix("sha256=").encode()


def _shared(authorization: str) -> bytes:
    """The secret in the header, as Bearer, as Token, or as the password of Basic."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() in ("bearer", "token"):
        return given.strip().encode()
    if scheme.lower() == "basic":
        try:
            return b64decode(given.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return b""


def _number(found: Mapping[str, Any], path: tuple[str, ...]) -> int | None:
    value: Any = found
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63 else None
