"""Verifies access tokens, and caches the verified ones."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry, deserialize_compact

from app.core.base64url import decoded
from app.core.clock import Clock
from app.core.credentials import LONGEST_CREDENTIAL
from app.core.errors import Unauthenticated
from app.core.recent import Recent
from app.openid.documents import LONGEST_KEY_ID
from app.openid.person import Person, person_of
from app.openid.provider import Provider

LEEWAY = timedelta(seconds=30)
"""How far the clocks of a provider and of this server may differ."""

_REMEMBERED = 10_000
_LATEST = 253_402_214_400  # the last day of the year 9999: datetime has no later times
_FORM = re.compile(r"eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", re.ASCII)
_KINDS = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}
_TYPES = ("", "jwt", "at+jwt", "application/at+jwt")


class _Registry(JWSRegistry):
    """Allows only our algorithms, and ignores unknown header parameters."""

    max_header_length = 4_096
    max_payload_length = LONGEST_CREDENTIAL

    def __init__(self) -> None:
        super().__init__(algorithms=list(_KINDS), strict_check_header=False)

    def get_alg(self, name: str) -> Any:
        # Without the warning that RFC 9864 renames EdDSA: providers still use the old name.
        return self.algorithms[name] if name in _KINDS else super().get_alg(name)


_REGISTRY = _Registry()


class _Verified(NamedTuple):
    person: Person
    provider: Provider
    generation: int


def is_token(text: str) -> bool:
    """Whether the text has the form of a signed JSON Web Token, as no key of ours has."""
    return text.startswith("eyJ") and _FORM.fullmatch(text) is not None


class Tokens:
    """Verifies the tokens of the providers in the settings. Verified tokens are cached by their digest."""

    def __init__(self, providers: Sequence[Provider], clock: Clock) -> None:
        self._providers = {provider.issuer.issuer: provider for provider in providers}
        self._clock = clock
        self._verified: Recent[_Verified] = Recent(_REMEMBERED)

    def __len__(self) -> int:
        """The number of cached tokens."""
        return len(self._verified)

    async def person(self, token: str) -> Person:
        """The person of a token. Raises Unauthenticated with the reason, and Unavailable as `Provider.key`."""
        digest = blake2b(token.encode("ascii"), digest_size=16).digest()
        known = self._verified.get(digest)
        if known is None or not known.provider.is_current(known.generation):
            known = await self._verify(token)
            self._verified.put(digest, known)
        if self._clock() >= known.person.ends:
            raise Unauthenticated("This token has expired.", has_expired=True)
        return known.person

    async def close(self) -> None:
        """Cancel the running fetches."""
        for provider in self._providers.values():
            await provider.close()

    async def _verify(self, token: str) -> _Verified:
        head, body, _ = token.split(".")
        header, claims = _part(head), _part(body)
        # Before the signature is verified, so that a token of an unknown issuer costs nothing.
        issuer = claims.get("iss")
        provider = self._providers.get(issuer) if isinstance(issuer, str) else None
        if provider is None:
            raise Unauthenticated("The issuer of this token is not accepted here.")
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in _KINDS:
            raise Unauthenticated(f"The algorithm of this token is not one of {', '.join(_KINDS)}.")
        if "crit" in header or str(header.get("typ", "")).lower() not in _TYPES or "events" in claims:
            raise Unauthenticated("This is no access token.")
        if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_KEY_ID:
            raise Unauthenticated("This token does not name its key.")
        ends = self._end(claims)
        issued_at = _time(claims, "iat") if "iat" in claims else None
        _require_audience(claims, provider)
        key = await provider.key(kid, _KINDS[algorithm])
        if key is None:
            raise Unauthenticated("The key of this token is not one of its issuer's.")
        generation = provider.generation
        try:
            deserialize_compact(token, key, registry=_REGISTRY)
        except (JoseError, ValueError, TypeError):
            raise Unauthenticated("The signature of this token is not valid.") from None
        return _Verified(person_of(provider.issuer, claims, ends, issued_at), provider, generation)

    def _end(self, claims: Mapping[str, Any]) -> datetime:
        """The end of the token's validity. Raises Unauthenticated for a token that is not valid yet."""
        ends = _time(claims, "exp") + LEEWAY
        if "nbf" in claims and self._clock() < _time(claims, "nbf") - LEEWAY:
            raise Unauthenticated("This token is not valid yet.")
        return ends


def _part(text: str) -> dict[str, Any]:
    """Decodes the JSON object in a part of a token. Raises Unauthenticated."""
    try:
        found = orjson.loads(decoded(text))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unauthenticated("This token cannot be read.")
    return found


def _time(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not 0 <= value < _LATEST:  # type: ignore[operator]
        raise Unauthenticated(f"The claim {name} of this token is not a time in seconds.")
    return datetime.fromtimestamp(value, UTC)  # type: ignore[arg-type]


def _require_audience(claims: Mapping[str, Any], provider: Provider) -> None:
    given = claims.get("aud")
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list) or not any(each in provider.issuer.audiences for each in listed):
        raise Unauthenticated("This token is for another audience.")
