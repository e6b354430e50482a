"""API keys: secrets that are given out, and digests that are stored."""

import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from app.core.actor import Actor
from app.core.clock import rfc3339
from app.core.sight import common
from app.directory.model.user import User

_TOKEN = re.compile(r"swk_([a-z0-9]{8})_[A-Za-z0-9_-]{43}", re.ASCII)

_ACCESS_TOKEN = re.compile(r"swt_(~?[a-z0-9]{8,12})_([0-9]{1,11})_[0-9a-f]{64}", re.ASCII)
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of a user. `permissions` narrows what the user may do; None does not narrow it. The secret is not stored.

    `made_by_id` is the key that made this one; None for a key of the command line. `pepper_id` is the pepper of the
    digest; None for a key from before that was recorded."""

    id: int
    user_id: int
    name: str
    prefix: str
    digest: str = field(repr=False)
    permissions: tuple[str, ...] | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    created_at: datetime
    made_by_id: int | None = None
    pepper_id: int | None = None

    def revoked(self, at: datetime) -> "ApiKey":
        return replace(self, revoked_at=at)

    def digested(self, token: str, pepper: str, pepper_id: int) -> "ApiKey":
        """The same key, with its secret digested under another pepper."""
        digest = digest_of(token, pepper)
        return replace(self, digest=digest, prefix=prefix_of(token, digest), pepper_id=pepper_id)

    def is_usable(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def new_token() -> str:
    """A new secret of 256 random bits: `swk_<8 characters to find it by>_<43 characters>`."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"swk_{prefix}_{secrets.token_urlsafe(32)}"


def digest_of(token: str, pepper: str) -> str:
    """HMAC-SHA256 of the token under the pepper, in hex."""
    return hmac.digest(_bytes(pepper), _bytes(token), "sha256").hex()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def prefix_of(token: str, digest: str) -> str:
    """The text by which the key is found: its own prefix, or for a secret chosen by an operator, the start of its
    digest."""
    match = _TOKEN.fullmatch(token)
    return match[1] if match else f"~{digest[:12]}"


def credentials_of(client_id: str, client_secret: str) -> str:
    """The key that a client means by prefix and secret. The secret may be the whole key, or the part after the
    prefix."""
    is_whole = client_id.startswith("~") or _TOKEN.fullmatch(client_secret) is not None
    return client_secret if is_whole else f"swk_{client_id}_{client_secret}"


def access_token(key: ApiKey, user: User, ends: datetime, pepper: str) -> str:
    """A credential that replaces the key until `ends` (whole seconds). It names the key, and only this server can make
    it.

    When the sessions of the key's user are ended, later tokens differ from earlier ones."""
    return sealed_token(key.prefix, key.digest, user.sessions_ended_at, ends, pepper)


def sealed_token(prefix: str, digest: str, sessions_ended_at: datetime | None, ends: datetime, pepper: str) -> str:
    """The access token for a key with this prefix and digest."""
    named = f"{prefix}_{int(ends.timestamp())}"
    since = "" if sessions_ended_at is None else f" {rfc3339(sessions_ended_at)}"
    sealed = hmac.digest(_bytes(pepper), f"access {named} {digest}{since}".encode(), "sha256")
    return f"swt_{named}_{sealed.hex()}"


def read_access_token(token: str) -> tuple[str, datetime] | None:
    """The prefix of the key that an access token is for, and its end; None for any other text. Nothing is verified
    yet."""
    match = _ACCESS_TOKEN.fullmatch(token)
    return None if match is None else (match[1], datetime.fromtimestamp(int(match[2]), UTC))


def earliest(*ends: datetime | None) -> datetime | None:
    """The earliest of these ends. None is no end."""
    return min((end for end in ends if end is not None), default=None)


def actor_of(user: User, key: ApiKey, all_permissions: Collection[str]) -> Actor:
    """The actor of a usable key of an active user.

    An admin has all permissions. A narrowed key only has those that it names, and is never an admin's."""
    held = frozenset(all_permissions) if user.is_admin else frozenset(user.permissions)
    if key.permissions is not None:
        held = common(held, key.permissions)
    return Actor(
        user_id=user.id,
        name=user.name,
        permissions=held,
        is_admin=user.is_admin and key.permissions is None,
        key_id=key.id,
        expires_at=key.expires_at,
        is_narrowed=key.permissions is not None,
        teams=frozenset(user.team_ids),
        sessions_ended_at=user.sessions_ended_at,
    )
