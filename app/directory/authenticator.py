"""Finds the user of an API key or access token."""

import asyncio
import hmac
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from app.core.actor import Actor
from app.core.clock import Clock
from app.core.credentials import AccessToken
from app.core.errors import DomainError, Unavailable
from app.core.fairness import SERVER
from app.directory.model import ApiKey, User, actor_of, digest_of, prefix_of
from app.directory.model.key import access_token, credentials_of, earliest, read_access_token, sealed_token
from app.directory.model.pepper import PEPPER, SALT, fingerprint, peppers_of
from app.directory.model.refusal import RefusalReason, Refusals
from app.directory.repository import KeyLookup
from app.directory.service import redigest
from app.settings import Settings
from app.storage.database import Database

log = structlog.get_logger(__name__)

BEHIND = "The key pepper was changed. This server must be restarted with the new one."
_LOOK_EVERY = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Peppers:
    """The available peppers, the one for new digests first, and their fingerprints in the same order."""

    secrets: tuple[str, ...]
    fingerprints: tuple[str, ...]


class KeyAuthenticator:
    """Implements `core.credentials.Authenticator` with one read by the key's prefix.

    `permissions` are all existing permissions; an admin holds them all. The time of an answer does not tell whether a
    prefix is known: every text is digested and compared with every available pepper, if need be against a made-up
    digest, and every access token is sealed with it and compared."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        permissions: Collection[str],
        refusals: Refusals | None = None,
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._permissions = frozenset(permissions)
        self._refusals = Refusals() if refusals is None else refusals
        self._lookup = KeyLookup(database.dialect)
        self._known: _Peppers | None = None
        self._current: str | None = None
        self._looked_at: datetime | None = None
        self._nobody = secrets.token_hex(32)
        self._lifetime = settings.access_token_lifetime

    async def actor_of(self, key: str) -> Actor | None:
        """The actor of a valid key or access token. None when it is unknown, revoked, expired, or of an inactive user.
        A token ends at the latest with the key that it was issued for.

        Raises Unavailable instead of returning None when another process has changed to a pepper that this one
        lacks."""
        peppers = await self._peppers()
        if peppers is None:
            return None
        token = read_access_token(key)
        found = await self._of_key(key, peppers) if token is None else await self._of_token(key, *token, peppers)
        if found is None:
            await self._require_current(peppers)
            return None
        actor = actor_of(found[1], found[0], self._permissions)
        if token is None:
            return actor
        return replace(actor, expires_at=earliest(token[1], actor.expires_at))

    async def access_token(self, client_id: str, client_secret: str) -> AccessToken | None:
        """A token for the key with the prefix `client_id`. `client_secret` is the whole key, or the part after its
        prefix.

        Raises Unavailable as `actor_of` does."""
        peppers = await self._peppers()
        if peppers is None:
            return None
        given = credentials_of(client_id, client_secret)
        found = await self._of_key(given, peppers)
        digests = [digest_of(given, pepper) for pepper in peppers.secrets]
        if found is None or client_id not in _prefixes(given, digests):
            await self._require_current(peppers)
            return None
        ends = self._clock() + self._lifetime
        ends = earliest(ends, found[0].expires_at) or ends
        token = access_token(*found, ends, peppers.secrets[0])
        return AccessToken(token, int((ends - self._clock()).total_seconds()))

    async def fault(self) -> str | None:
        """Why valid keys would be refused, or None. The reason can be that another process has changed the pepper."""
        peppers = await self._peppers()
        return BEHIND if peppers is not None and await self._is_behind(peppers) else None

    async def _of_token(self, token: str, prefix: str, ends: datetime, peppers: _Peppers) -> tuple[ApiKey, User] | None:
        found = await self._database.plan(lambda: self._lookup.key_and_user(prefix), snapshot=False, caller=SERVER)
        digest, since = (self._nobody, None) if found is None else (found[0].digest, found[1].sessions_ended_at)
        # All are sealed and compared, also for a prefix that no key has.
        fitting = [
            hmac.compare_digest(sealed_token(prefix, digest, since, ends, pepper), token) for pepper in peppers.secrets
        ]
        if found is None or not any(fitting) or self._clock() >= ends or not self._is_usable(*found):
            return None
        return found

    async def _of_key(self, key: str, peppers: _Peppers) -> tuple[ApiKey, User] | None:
        digests = [digest_of(key, pepper) for pepper in peppers.secrets]
        prefixes = _prefixes(key, digests)
        found = await self._database.plan(lambda: self._lookup.key_and_user(*prefixes), snapshot=False, caller=SERVER)
        stored = self._nobody if found is None else found[0].digest
        # All are compared, even after a match.
        fitting = [hmac.compare_digest(digest, stored) for digest in digests]
        if found is None or not any(fitting) or not self._is_usable(*found):
            return None
        if not fitting[0] and await self._is_current(peppers):
            return await self._digested_anew(*found, key)
        return found

    async def _digested_anew(self, key: ApiKey, user: User, text: str) -> tuple[ApiKey, User]:
        try:
            made = await self._database.command(redigest, key.id, text)
        except DomainError as error:
            # The key is valid anyway; its next use tries again.
            log.warning("a key could not be digested anew", key_id=key.id, reason=error.message)
            return key, user
        return made or key, user

    def _is_usable(self, key: ApiKey, user: User) -> bool:
        """Whether the key, whose secret was shown, may be used. If not, the refusal is counted."""
        if key.revoked_at is not None:
            reason = RefusalReason.KEY_REVOKED
        elif not key.is_usable(self._clock()):
            reason = RefusalReason.KEY_EXPIRED
        elif not user.active:
            reason = RefusalReason.USER_INACTIVE
        else:
            return True
        self._refusals.note(user.id, reason, key_id=key.id)
        return False

    async def _peppers(self) -> _Peppers | None:
        """The available peppers, read once. None before the first start, when there are no keys either."""
        if self._known is None:
            salt, own = await self._database.plan(
                lambda: self._lookup.secrets(SALT, PEPPER), snapshot=False, caller=SERVER
            )
            if salt is None or own is None:
                return None
            held = peppers_of(self._settings, own)
            made = await asyncio.to_thread(lambda: tuple(fingerprint(pepper, salt) for pepper in held))
            self._known = _Peppers(held, made)
        return self._known

    async def _require_current(self, peppers: _Peppers) -> None:
        if await self._is_behind(peppers):
            raise Unavailable(BEHIND)

    async def _is_behind(self, peppers: _Peppers) -> bool:
        current = await self._current_pepper()
        return current is not None and current not in peppers.fingerprints

    async def _is_current(self, peppers: _Peppers) -> bool:
        return await self._current_pepper() == peppers.fingerprints[0]

    async def _current_pepper(self) -> str | None:
        """The fingerprint of the database's current pepper, at most one second old."""
        now = self._clock()
        if self._looked_at is None or not timedelta(0) <= now - self._looked_at < _LOOK_EVERY:
            self._current = await self._database.plan(self._lookup.current_pepper, snapshot=False, caller=SERVER)
            self._looked_at = now
        return self._current


def _prefixes(key: str, digests: Iterable[str]) -> tuple[str, ...]:
    """The prefixes that may find the key: its own, or for a key without one, a prefix for each digest."""
    return tuple(dict.fromkeys(prefix_of(key, digest) for digest in digests))
