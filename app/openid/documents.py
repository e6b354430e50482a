"""The metadata and the key set of a provider."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from app.core.base64url import decoded
from app.core.issuers import checked_url

MOST_KEYS = 100
LONGEST_KEY_ID = 256
_SMALLEST_MODULUS, _LARGEST_MODULUS = 2_048, 8_192
_LONGEST_EXPONENT = 6  # characters: an exponent above 32 bits makes verification slow

_TYPES: Mapping[str, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


class Unusable(Exception):
    """A document of a provider that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata of a provider: the address of its key set."""

    keys_at: str


def read_metadata(document: bytes, issuer: str) -> Metadata:
    """Parses the metadata. Raises Unusable, also when it names another issuer."""
    found = _object(document, "The metadata")
    if found.get("issuer") != issuer:
        raise Unusable("The metadata is that of another issuer.")
    return Metadata(_address(found, "jwks_uri"))


def read_keys(document: bytes) -> dict[tuple[str, str], Key]:
    """The keys for signatures by id and type; keys for other uses are skipped.

    Raises Unusable for more than 100 keys and for no usable key."""
    listed = _object(document, "The key set").get("keys")
    if not isinstance(listed, list):
        raise Unusable("The key set has no list of keys.")
    if len(listed) > MOST_KEYS:
        raise Unusable(f"The key set has {len(listed):,} keys; at most {MOST_KEYS} are read.")
    keys: dict[tuple[str, str], Key] = {}
    for given in listed:
        key = _key(given)
        if key is not None:
            keys.setdefault((str(given["kid"]), str(given["kty"])), key)
    if not keys:
        raise Unusable("The key set has no key for signatures that can be used.")
    return keys


def _key(given: object) -> Key | None:
    if not isinstance(given, dict) or given.get("use") not in (None, "sig") or "d" in given:
        return None
    kind, kid = given.get("kty"), given.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_KEY_ID or not isinstance(kind, str):
        return None
    if kind not in _TYPES or (kind == "RSA" and not _is_sound(given)):
        return None
    try:
        return _TYPES[kind].import_key(cast("dict[str, str | list[str]]", given))
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _is_sound(given: Mapping[str, Any]) -> bool:
    """Whether an RSA key is long enough to be safe and short enough to be verified quickly."""
    modulus, exponent = given.get("n"), given.get("e")
    if not isinstance(modulus, str) or not isinstance(exponent, str) or len(exponent) > _LONGEST_EXPONENT:
        return False
    if len(modulus) > 2 * _LARGEST_MODULUS // 8:
        return False
    try:
        number = int.from_bytes(decoded(modulus))
    except ValueError:
        return False
    return _SMALLEST_MODULUS <= number.bit_length() <= _LARGEST_MODULUS


def _object(document: bytes, what: str) -> dict[str, Any]:
    try:
        found = orjson.loads(document)
    except orjson.JSONDecodeError:
        raise Unusable(f"{what} is not JSON.") from None
    if not isinstance(found, dict):
        raise Unusable(f"{what} is not a JSON object.")
    return found


def _address(found: Mapping[str, Any], name: str) -> str:
    given = found.get(name)
    try:
        if not isinstance(given, str):
            raise ValueError("it is not text")
        checked_url(given)
    except ValueError as error:
        raise Unusable(f"{name} cannot be used: {error}.") from None
    return given
