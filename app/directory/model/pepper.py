"""The peppers of key digests, and fingerprints that recognise a secret."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from app.settings import Settings

SALT = "fingerprint_salt"
"""The name of the stored salt of all fingerprints."""

PEPPER = "key_pepper"
"""The name of the stored pepper, which is used when the settings have none."""

COST = 2**14
"""The cost of a fingerprint in scrypt. Another number would make other fingerprints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPepper:
    """A pepper that keys were digested with. Only its fingerprint is stored."""

    id: int
    fingerprint: str
    is_current: bool
    created_at: datetime
    ended_at: datetime | None = None


@lru_cache(maxsize=64)
def fingerprint(secret: str, salt: str) -> str:
    """A slow digest without a pepper. It is slow because a person may have chosen the secret."""
    return hashlib.scrypt(secret.encode("utf-8", "surrogatepass"), salt=salt.encode(), n=COST, r=8, p=1).hex()


def peppers_of(settings: Settings, stored: str) -> tuple[str, ...]:
    """The available peppers, each once: the one for new digests first, then those of stored digests."""
    own = settings.key_pepper
    previous = (pepper.get_secret_value() for pepper in settings.key_pepper_previous)
    return tuple(dict.fromkeys((stored if own is None else own.get_secret_value(), *previous, stored)))
