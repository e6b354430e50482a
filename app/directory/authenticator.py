"""Who a presented API key or access token stands for."""

import hmac
import secrets
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from app.core.actor import Actor
from app.core.clock import Clock
from app.core.fairness import SERVER
from app.directory.model import ApiKey, User, actor_of, digest_of, prefix_of
from app.directory.model.key import access_token, credentials_of, earliest, read_access_token
from app.directory.repository import KeyLookup
from app.directory.service import PEPPER
from app.settings import Settings
from app.storage.database import Database
from app.transport.auth import AccessToken


class KeyAuthenticator:
    """Fulfils the transport's Authenticator with one read by the key's prefix.

    `permissions` are all there are, which an admin holds. Whether a prefix is known cannot be told from the time an
    answer takes: every text is digested and compared, against a made-up digest if need be."""

    def __init__(self, database: Database, settings: Settings, clock: Clock, permissions: Collection[str]) -> None:
        self._database = database
        self._clock = clock
        self._permissions = frozenset(permissions)
        self._lookup = KeyLookup(database.dialect)
        self._pepper = None if settings.key_pepper is None else settings.key_pepper.get_secret_value()
        self._no_digest = secrets.token_hex(32)
        self._lifetime = settings.access_token_lifetime

    async def actor_of(self, key: str) -> Actor | None:
        """The actor of a key, or of an access token, that is valid now; None when it is unknown, revoked, expired or an
        inactive user's. A token ends with the key that it was given for, if not before."""
        pepper = await self._secret()
        if pepper is None:
            return None
        token = read_access_token(key)
        found = await self._of_key(key, pepper) if token is None else await self._of_token(key, *token, pepper)
        if found is None:
            return None
        actor = actor_of(found[1], found[0], self._permissions)
        if token is None:
            return actor
        return replace(actor, expires_at=earliest(token[1], actor.expires_at))

    async def access_token(self, client_id: str, client_secret: str) -> AccessToken | None:
        """A token for the key with the prefix `client_id`; `client_secret` is the key, or what follows its prefix."""
        pepper = await self._secret()
        if pepper is None:
            return None
        found = await self._of_key(credentials_of(client_id, client_secret), pepper)
        if found is None or found[0].prefix != client_id:
            return None
        ends = self._clock() + self._lifetime
        ends = earliest(ends, found[0].expires_at) or ends
        token = access_token(found[0], ends, pepper)
        return AccessToken(token, int((ends - self._clock()).total_seconds()))

    async def _of_token(self, token: str, prefix: str, ends: datetime, pepper: str) -> tuple[ApiKey, User] | None:
        found = await self._database.plan(lambda: self._lookup.key_and_user(prefix), snapshot=False, caller=SERVER)
        if found is None or not hmac.compare_digest(access_token(found[0], ends, pepper), token):
            return None
        return found if self._clock() < ends and self._is_usable(*found) else None

    async def _of_key(self, key: str, pepper: str) -> tuple[ApiKey, User] | None:
        digest = digest_of(key, pepper)
        prefix = prefix_of(key, digest)
        found = await self._database.plan(lambda: self._lookup.key_and_user(prefix), snapshot=False, caller=SERVER)
        is_same = hmac.compare_digest(digest, self._no_digest if found is None else found[0].digest)
        if found is None or not is_same:
            return None
        return found if self._is_usable(*found) else None

    def _is_usable(self, key: ApiKey, user: User) -> bool:
        return user.active and key.is_usable(self._clock())

    async def _secret(self) -> str | None:
        """The pepper, read once; None before the first start has made it, when there is no key either."""
        if self._pepper is None:
            self._pepper = await self._database.plan(lambda: self._lookup.secret(PEPPER), snapshot=False, caller=SERVER)
        return self._pepper
