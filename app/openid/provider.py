"""The cached keys of a provider."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic

import structlog
from joserfc.jwk import Key

from app.core.errors import Unavailable
from app.core.issuers import Issuer
from app.openid.documents import Unusable, read_keys, read_metadata

log = structlog.get_logger(__name__)

MOST_BYTES_OF_METADATA = 65_536
MOST_BYTES_OF_KEYS = 262_144

PAUSE = 60.0
"""The shortest time between two attempts to fetch a provider's keys, in seconds."""

FRESH = 600.0
"""Seconds after which keys in use are fetched again, in the background."""

OLDEST = 86_400.0
"""Seconds for which keys are used while the provider cannot be reached."""

PATIENCE = 5.0
"""Seconds that the provider has to answer for both documents together."""

Fetch = Callable[[str, int], Awaitable[bytes]]
"""Gets the body at an address, with a limit of bytes. Raises NotFetched, and never follows a redirect."""


class NotFetched(Exception):
    """A document could not be fetched; the message says why."""


class Provider:
    """Fetches and caches the keys of one issuer."""

    def __init__(
        self, issuer: Issuer, fetch: Fetch, *, time: Callable[[], float] = monotonic, patience: float = PATIENCE
    ) -> None:
        self.issuer = issuer
        self.generation = 0
        """Counts how often the keys have changed. What was verified with earlier keys must be verified again."""
        self._fetch = fetch
        self._time = time
        self._patience = patience
        self._keys: Mapping[tuple[str, str], Key] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._has_failed = False
        self._fetching: asyncio.Task[None] | None = None

    def is_current(self, generation: int) -> bool:
        """Whether a verification under this generation of keys is still valid. Starts a refresh of old keys."""
        now = self._time()
        if self._fetched_at is None or now - self._fetched_at > OLDEST:
            return False
        if now - self._fetched_at > FRESH and self._may_try(now):
            self._begin(now)
        return generation == self.generation

    async def key(self, kid: str, kind: str) -> Key | None:
        """The key with this id and type; None when the provider has none.

        Raises Unavailable when the provider does not answer and the key is not cached."""
        if self.is_current(self.generation) and (found := self._keys.get((kid, kind))) is not None:
            return found
        now = self._time()
        if self._fetching is None and self._may_try(now):
            self._begin(now)
        if self._fetching is not None:
            # `wait` leaves the fetch to the other waiters when this one is cancelled.
            await asyncio.wait([self._fetching])
        found = self._keys.get((kid, kind)) if self.is_current(self.generation) else None
        if found is None and self._has_failed:
            raise Unavailable("The identity provider of this token does not answer now.")
        return found

    async def close(self) -> None:
        """Cancel the running fetch."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    def _may_try(self, now: float) -> bool:
        return self._fetching is None and (self._tried_at is None or now - self._tried_at >= PAUSE)

    def _begin(self, now: float) -> None:
        self._tried_at = now
        self._fetching = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                keys = await keys_of(self.issuer, self._fetch)
        except (NotFetched, Unusable, TimeoutError) as error:
            self._has_failed = True
            reason = "It took too long." if isinstance(error, TimeoutError) else str(error)
            log.warning("the keys of an identity provider cannot be fetched", issuer=self.issuer.issuer, reason=reason)
        except Exception:
            self._has_failed = True
            log.exception("the keys of an identity provider cannot be fetched", issuer=self.issuer.issuer)
        else:
            self._has_failed = False
            self._fetched_at = self._time()
            if {name: key.thumbprint() for name, key in keys.items()} != {
                name: key.thumbprint() for name, key in self._keys.items()
            }:
                self.generation += 1
            self._keys = keys
        finally:
            self._fetching = None


async def keys_of(issuer: Issuer, fetch: Fetch) -> Mapping[tuple[str, str], Key]:
    """Fetches the issuer's keys by id and type. Raises NotFetched and Unusable."""
    at = f"{issuer.issuer.removesuffix('/')}/.well-known/openid-configuration"
    metadata = read_metadata(await fetch(at, MOST_BYTES_OF_METADATA), issuer.issuer)
    return read_keys(await fetch(metadata.keys_at, MOST_BYTES_OF_KEYS))
