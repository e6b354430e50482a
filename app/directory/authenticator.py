"""Who a presented API key stands for."""

import hmac
import secrets
from collections.abc import Collection

from app.core.actor import Actor
from app.core.clock import Clock
from app.directory.model import actor_of, digest_of, prefix_of
from app.directory.repository import KeyLookup
from app.directory.service import PEPPER
from app.settings import Settings
from app.storage.database import Database


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

    async def actor_of(self, key: str) -> Actor | None:
        """The actor of a key that is valid now; None when it is unknown, revoked, expired or an inactive user's."""
        pepper = await self._secret()
        if pepper is None:
            return None
        digest = digest_of(key, pepper)
        prefix = prefix_of(key, digest)
        found = await self._database.plan(lambda: self._lookup.key_and_user(prefix), snapshot=False)
        is_same = hmac.compare_digest(digest, self._no_digest if found is None else found[0].digest)
        if found is None or not is_same:
            return None
        known, user = found
        if not user.active or not known.is_usable(self._clock()):
            return None
        return actor_of(user, known, self._permissions)

    async def _secret(self) -> str | None:
        """The pepper, read once; None before the first start has made it, when there is no key either."""
        if self._pepper is None:
            self._pepper = await self._database.plan(lambda: self._lookup.secret(PEPPER), snapshot=False)
        return self._pepper
