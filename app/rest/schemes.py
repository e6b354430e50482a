"""The authentication schemes that a contract accepts."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.rest.headers import Headers


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way: `key` returns the key in the request's headers, None where they have none of this kind.

    `name` and `described` are for the OpenAPI document, `challenge` is for `WWW-Authenticate`, if there is one."""

    name: str
    described: Mapping[str, Any]
    key: Callable[[Headers], str | None]
    challenge: str | None = None


def key_of(headers: Headers, schemes: Sequence[Scheme]) -> str:
    """The key by the first scheme that the request uses; empty when it uses none."""
    for scheme in schemes:
        found = scheme.key(headers)
        if found:
            return found
    return ""


def _authorization(name: str, read: Callable[[str], str | None]) -> Callable[[Headers], str | None]:
    def key(headers: Headers) -> str | None:
        given, _, credentials = headers.get(b"authorization", b"").decode("latin-1").strip().partition(" ")
        return read(credentials.strip()) if given.lower() == name else None

    return key


def _header(name: bytes) -> Callable[[Headers], str | None]:
    return lambda headers: headers.get(name, b"").decode("latin-1").strip() or None


def _password(credentials: str) -> str | None:
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return decoded.partition(":")[2] or None


def _token(credentials: str) -> str | None:
    # Rails' own clients write `Token token="…"`.
    return credentials.removeprefix("token=").strip('"') or None


BEARER = Scheme(
    "bearer",
    {"type": "http", "scheme": "bearer", "description": "A key."},
    _authorization("bearer", lambda credentials: credentials),
    "Bearer",
)
TOKEN = Scheme(
    "token", {"type": "http", "scheme": "token", "description": "A key."}, _authorization("token", _token), "Token"
)
X_API_KEY = Scheme("apiKey", {"type": "apiKey", "in": "header", "name": "x-api-key"}, _header(b"x-api-key"))
BASIC = Scheme(
    "basic",
    {"type": "http", "scheme": "basic", "description": "The password is a key; the name is not looked at."},
    _authorization("basic", _password),
    'Basic realm="Switchboard", charset="UTF-8"',
)
SO_TICKET = Scheme(
    "ticket",
    {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`SOTicket`, a space and a key."},
    _authorization("soticket", lambda credentials: credentials),
    "SOTicket",
)
