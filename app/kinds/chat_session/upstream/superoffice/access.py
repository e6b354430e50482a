"""Authenticates to SuperOffice: fixed header, or a system user's ticket."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.core.clock import Clock
from app.interactions.remote import Access, Answered, Entry, Refused, Send, Unanswered
from app.kinds.chat_session.upstream.superoffice.credentials import Credential, SystemUser, read_credential

TICKET = "http://schemes.superoffice.net/identity/ticket"
"""The claim of a sign-in's token that contains the ticket."""

_ISSUER = "SuperOffice AS"
_RUNNING = ("Running", "OnlineMaintenance")
_NOT_RUNNING_SECONDS = 60.0
_EARLY = timedelta(seconds=60)
_LEEWAY = timedelta(seconds=30)
_JSON = {"content-type": "application/json"}
_FORM = {"content-type": "application/x-www-form-urlencoded"}


def access_of(address: str, given: str, clock: Clock) -> Access:
    """The access by this credential."""
    credential = read_credential(given)
    if credential.system_user is not None:
        return SystemUserAccess(address, credential.system_user, credential.users or {}, clock)
    return FixedAccess(address, credential)


class FixedAccess:
    """Authenticates with a bearer token, or a name and a password. A user with an own credential authenticates with
    that."""

    unauthorized = frozenset({401})

    def __init__(self, address: str, credential: Credential) -> None:
        own, encode = (credential.token, _bearer) if credential.basic is None else (credential.basic, _basic)
        self._entry = Entry(address, {"authorization": encode(own or "")})
        users = credential.users or {}
        self._users = {login: Entry(address, {"authorization": encode(each)}) for login, each in users.items()}

    def has(self, user: str) -> bool:
        return user in self._users

    async def entry(self, send: Send, user: str | None) -> Entry:
        return self._entry if user is None else self._users[user]

    def left(self, entry: Entry, status: int) -> bool:
        return False


class SystemUserAccess:
    """Authenticates with a ticket, for which a signed token is exchanged, at the tenant's current address.

    A ticket is used until it is refused: each use extends it. Users authenticate with their own access tokens."""

    unauthorized = frozenset({401})

    def __init__(self, address: str, system_user: SystemUser, users: Mapping[str, str], clock: Clock) -> None:
        self._home = address
        self._system_user = system_user
        self._refresh_tokens = users
        self._clock = clock
        self._entering = asyncio.Lock()
        self._api: str | None = None
        self._ticket: str | None = None
        self._tokens: dict[str, tuple[str, datetime]] = {}

    def has(self, user: str) -> bool:
        return user in self._refresh_tokens

    async def entry(self, send: Send, user: str | None) -> Entry:
        async with self._entering:
            if self._api is None:
                self._api = await self._located(send)
            if user is not None:
                return Entry(self._api, {"authorization": _bearer(await self._token(send, user))})
            if self._ticket is None:
                self._ticket = await self._signed_in(send)
            own = {"authorization": f"SOTicket {self._ticket}", "so-apptoken": self._system_user.client_secret}
            return Entry(self._api, own)

    def left(self, entry: Entry, status: int) -> bool:
        if status == 421:
            # Another request may have found the new address already.
            self._api = None if self._api == entry.address else self._api
            return True
        if status != 401:
            return False
        used = entry.headers["authorization"]
        if self._ticket is not None and used == f"SOTicket {self._ticket}":
            self._ticket = None
        self._tokens = {user: held for user, held in self._tokens.items() if used != _bearer(held[0])}
        return True

    async def _located(self, send: Send) -> str:
        """The current address of the tenant's contract. Raises Unanswered while the tenant does not run."""
        answered = await send("GET", f"{self._home}/api/state/{self._system_user.context}", {}, b"")
        found = answered.value if isinstance(answered.value, dict) else {}
        state, api = found.get("State"), found.get("Api")
        if answered.status >= 400 or not isinstance(state, str):
            raise Refused("The other system does not know the tenant.", status=answered.status)
        if state not in _RUNNING or not isinstance(api, str):
            raise Unanswered(f"The tenant is {state[:64]!r}.", arrived=False, wait=_NOT_RUNNING_SECONDS)
        return api.rstrip("/")

    async def _signed_in(self, send: Send) -> str:
        """A ticket. Raises Refused when the system user is not accepted."""
        user = self._system_user
        body = {
            "SignedSystemToken": signed_token(user, self._clock()),
            "ApplicationToken": user.client_secret,
            "ContextIdentifier": user.context,
            "ReturnTokenType": "JWT",
        }
        at = f"{self._home}/Login/api/PartnerSystemUser/Authenticate"
        answered = await send("POST", at, _JSON, orjson.dumps(body))
        found = answered.value if isinstance(answered.value, dict) else {}
        token = found.get("Token")
        if answered.status >= 400 or found.get("IsSuccessful") is not True or not isinstance(token, str):
            raise _not_taken("The other system does not take the system user.", answered)
        keys = await send("GET", f"{self._home}/login/.well-known/jwks", {}, b"")
        claims = _verified(token, keys.value, self._clock())
        ticket = claims.get(TICKET)
        if not isinstance(ticket, str) or not ticket.isascii() or not ticket.isprintable():
            raise _not_taken("The other system signed the system user in without a ticket.", answered)
        return ticket

    async def _token(self, send: Send, user: str) -> str:
        """The user's access token. Raises Refused when the refresh token is no longer accepted."""
        held = self._tokens.get(user)
        if held is not None and self._clock() < held[1]:
            return held[0]
        form = {
            "grant_type": "refresh_token",
            "client_id": self._system_user.client_id,
            "client_secret": self._system_user.client_secret,
            "refresh_token": self._refresh_tokens[user],
        }
        at = f"{self._home}/login/common/oauth/tokens"
        answered = await send("POST", at, _FORM, urlencode(form).encode())
        found = answered.value if isinstance(answered.value, dict) else {}
        token, seconds = found.get("access_token"), found.get("expires_in")
        if answered.status >= 400 or not isinstance(token, str):
            raise Refused(f"The other system refused the refresh token of {user}.", status=answered.status)
        lasts = timedelta(seconds=seconds) if isinstance(seconds, int) else _EARLY
        self._tokens[user] = token, self._clock() + max(lasts - _EARLY, lasts / 2)
        return token


def signed_token(user: SystemUser, now: datetime) -> str:
    """The system user's token with the minute, signed as SuperOffice requires: RSA-SHA256 by PKCS #1 v1.5, in
    base64."""
    text = f"{user.system_token}.{now:%Y%m%d%H%M}"
    return f"{text}.{b64encode(user.private_key.sign(text.encode(), PKCS1v15(), SHA256())).decode()}"


def _verified(token: str, keys: Any, now: datetime) -> Mapping[str, Any]:
    """The claims of a sign-in's token. Raises Refused for a token that SuperOffice did not sign, or that is not valid
    now."""
    try:
        claims = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["RS256"]).claims
    except (JoseError, ValueError, TypeError, KeyError):
        raise Refused("The signature of the system user's token cannot be verified.") from None
    until = claims.get("exp")
    audience = claims.get("aud")
    is_now = isinstance(until, int | float) and now.timestamp() < until + _LEEWAY.total_seconds()
    if claims.get("iss") != _ISSUER or not str(audience).startswith("spn:") or not is_now:
        raise Refused("The system user's token is not from the other system, or has expired.")
    found: Mapping[str, Any] = claims
    return found


def _not_taken(reason: str, answered: Answered) -> Refused:
    return Refused(reason, unauthorized=True, status=answered.status)


def _bearer(token: str) -> str:
    return f"Bearer {token}"


def _basic(pair: str) -> str:
    return f"Basic {b64encode(pair.encode()).decode()}"
