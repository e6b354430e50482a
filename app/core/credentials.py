"""Authentication: from a request's key to an actor."""

from collections.abc import Callable
from hashlib import blake2b
from time import monotonic
from typing import NamedTuple, Protocol

from app.core.actor import Actor
from app.core.clock import Clock, utc_now
from app.core.errors import Unauthenticated

_KEPT = 10_000
_SECONDS = 1.0
LONGEST_CREDENTIAL = 16_384
"""The longest key or token, in characters, that is checked."""


class Authenticator(Protocol):
    """Checks keys and tokens. app.directory implements it."""

    async def actor_of(self, key: str) -> Actor | None:
        """The actor of a valid key or token; None for any other text.

        Raises Unauthenticated instead of returning None when it can give a reason."""


class Tickets(Protocol):
    """Checks the tickets by which streams begin. app.directory implements it."""

    async def begin(self, ticket: str, request: str) -> Actor:
        """The actor of a ticket that is valid for the request with this digest. Raises Unauthenticated."""

    async def actor_of(self, ticket: str) -> Actor | None:
        """The actor of a ticket whose stream has begun; None when the stream may not continue."""


class AccessToken(NamedTuple):
    """A credential that expires by itself, used instead of the key that it was issued for."""

    token: str
    expires_in: int


class TokenIssuer(Protocol):
    """Exchanges keys for access tokens. app.directory implements it."""

    async def access_token(self, client_id: str, client_secret: str) -> AccessToken | None:
        """A token for the key with this prefix and secret; None when they match no key."""

    async def fault(self) -> str | None:
        """Why valid keys would be refused by this process, or None."""


class KnownKeys:
    """Remembers for a second, or until its end, which key belongs to whom: a busy client costs one look-up per second.

    Keys are remembered by their digest. Call `forget` when a key, a user or its permissions change in this process.
    Changes by other processes take effect within a second."""

    def __init__(
        self,
        authenticator: Authenticator,
        *,
        seconds: float = _SECONDS,
        time: Callable[[], float] = monotonic,
        clock: Clock = utc_now,
    ) -> None:
        self._authenticator = authenticator
        self._seconds = seconds
        self._time = time
        self._clock = clock
        self._known: dict[bytes, tuple[Actor, float]] = {}
        self._generation = 0

    async def actor_of(self, key: str) -> Actor | None:
        """The actor of a key or token; None when it is unknown, revoked or expired."""
        try:
            return await self.admitted(key)
        except Unauthenticated:
            return None

    async def admitted(self, key: str) -> Actor:
        """The actor of a key or token. Raises Unauthenticated, which says why."""
        if len(key) > LONGEST_CREDENTIAL:
            raise Unauthenticated(f"A key or token has at most {LONGEST_CREDENTIAL:,} characters.")
        digest = blake2b(key.encode(errors="surrogatepass"), digest_size=16).digest()
        found = self._known.get(digest)
        if found is not None and self._time() < found[1]:
            ends = found[0].expires_at
            if ends is None or self._clock() < ends:
                return found[0]
        generation = self._generation
        until = self._time() + self._seconds
        try:
            actor = await self._authenticator.actor_of(key) if key else None
        except Unauthenticated:
            self._known.pop(digest, None)
            raise
        if actor is None:
            self._known.pop(digest, None)
            raise Unauthenticated("This key is not valid.")
        if generation == self._generation:
            # Otherwise something changed during the look-up, and the answer may be out of date.
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[digest] = (actor, until)
        return actor

    def forget(self) -> None:
        """Look every key up again."""
        self._generation += 1
        self._known.clear()
