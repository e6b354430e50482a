"""Authenticates to the platform: API key or client credentials."""

import asyncio
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

import orjson

from app.connections.service.reaching import checked_address, checked_token
from app.core.errors import InvalidInput
from app.interactions.remote import Entry, Refused, Send, Unanswered

TOKENS = "https://auth.vectara.io/oauth2/token"
"""Where client credentials are exchanged for a token, unless they name another address."""

_MEMBERS = ("client_id", "client_secret", "token_address")
_LASTS = 1_800.0
_EARLY = 120.0


class ApiKey:
    """Authenticates with a key that does not expire."""

    unauthorized = frozenset({401})

    def __init__(self, address: str, key: str) -> None:
        self._entry = Entry(address, {"x-api-key": key})

    async def entry(self, send: Send, user: str | None) -> Entry:
        return self._entry

    def has(self, user: str) -> bool:
        return False

    def left(self, entry: Entry, status: int) -> bool:
        return False


class ClientCredentials:
    """Authenticates with a token, which is fetched before it expires, and again when it is refused."""

    unauthorized = frozenset({401})

    def __init__(self, address: str, given: Mapping[str, str], now: Callable[[], float] = time.monotonic) -> None:
        self._address = address
        self._tokens = given.get("token_address", TOKENS)
        self._asked = urlencode(
            {
                "grant_type": "client_credentials",
                "client_id": given["client_id"],
                "client_secret": given["client_secret"],
            }
        ).encode()
        self._now = now
        self._fetching = asyncio.Lock()
        self._entry: Entry | None = None
        self._until = 0.0

    async def entry(self, send: Send, user: str | None) -> Entry:
        async with self._fetching:
            if self._entry is None or self._now() >= self._until:
                token, lasts = await self._fetch(send)
                self._entry = Entry(self._address, {"authorization": f"Bearer {token}"})
                self._until = self._now() + max(lasts - _EARLY, lasts / 2)
            return self._entry

    def has(self, user: str) -> bool:
        return False

    def left(self, entry: Entry, status: int) -> bool:
        if status == 401 and entry is self._entry:
            self._entry = None
        return status == 401

    async def _fetch(self, send: Send) -> tuple[str, float]:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answered = await send("POST", self._tokens, headers, self._asked)
        if answered.status >= 400:
            # The answer may repeat what was sent, so nothing of it is shown.
            raise Refused(
                "The other system refused the client's credentials.", unauthorized=True, status=answered.status
            )
        value = answered.value if isinstance(answered.value, dict) else {}
        token, seconds = value.get("access_token"), value.get("expires_in")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise Unanswered("The other system gave no token.", arrived=False)
        return token, float(seconds) if isinstance(seconds, int | float) and seconds > 0 else _LASTS


def checked_credential(given: str) -> str:
    """An API key, or client credentials as JSON, in their stored form. Raises InvalidInput, which repeats neither."""
    if not given.lstrip().startswith("{"):
        return checked_token(given)
    client = _client(given)
    if client is None:
        raise InvalidInput(
            "This takes an API key, or an object of the texts client_id, client_secret and, if need be, token_address.",
            path=("credential",),
        )
    if "token_address" in client:
        try:
            checked_address(client["token_address"])
        except InvalidInput as error:
            error.path = ("credential", "token_address")
            raise
    return orjson.dumps(client).decode()


def access_by(address: str, credential: str) -> ApiKey | ClientCredentials:
    """The access by the stored credential."""
    client = _client(credential)
    return ApiKey(address, credential) if client is None else ClientCredentials(address, client)


def _client(credential: str) -> Mapping[str, str] | None:
    """Client credentials; None for a text that is something else."""
    try:
        found = orjson.loads(credential) if credential.lstrip().startswith("{") else None
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict) or not {"client_id", "client_secret"} <= found.keys() <= set(_MEMBERS):
        return None
    return found if all(isinstance(each, str) and 0 < len(each) <= 4_096 for each in found.values()) else None
