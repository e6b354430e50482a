"""A connection's credential: token, name with password, or system user."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.connections.service.reaching import checked_token
from app.core.errors import InvalidInput, TooLong

LONGEST = 65_536

_FORM = "A credential is a token, or a JSON object with one of `token`, `basic` and `systemUser`, and `users`."
_SYSTEM_USER = ("systemToken", "clientSecret", "privateKey", "contextIdentifier")


@dataclass(frozen=True, slots=True)
class SystemUser:
    """A system user of SuperOffice Online. `client_id` is only needed for users with an own credential."""

    system_token: str
    client_secret: str
    private_key: RSAPrivateKey
    context: str
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Credential:
    """A bearer token, a name with a password, or a system user; and by login the own credentials of users: the same
    again, or a refresh token beside a system user."""

    token: str | None = None
    basic: str | None = None
    system_user: SystemUser | None = None
    users: Mapping[str, str] | None = None


def read_credential(given: str) -> Credential:
    """The credential. Raises InvalidInput, which does not repeat it, and TooLong."""
    if not given.lstrip().startswith("{"):
        return Credential(token=checked_token(given))
    if len(given) > LONGEST:
        raise TooLong(f"A credential may have at most {LONGEST:,} characters.", path=("credential",))
    try:
        found = orjson.loads(given)
    except orjson.JSONDecodeError:
        raise _refused(_FORM) from None
    ways = [name for name in ("token", "basic", "systemUser") if name in found]
    if len(ways) != 1 or found.keys() - {*ways, "users"}:
        raise _refused(_FORM)
    users = found.get("users", {})
    if not isinstance(users, dict) or not all(_is_header(each) for each in users.values()):
        raise _refused("`users` is an object of credentials by logins.", "users")
    (way,) = ways
    if way == "systemUser":
        return Credential(system_user=_system_user(found[way], users), users=users)
    if not _is_header(found[way]) or (way == "basic" and ":" not in found[way]):
        raise _refused("`token` is a text, and `basic` a login and a password with a colon between them.", way)
    return Credential(**{way: found[way]}, users=users)


def _system_user(given: object, users: Mapping[str, str]) -> SystemUser:
    known = {*_SYSTEM_USER, "clientId"}
    if not isinstance(given, dict) or not all(isinstance(given.get(name), str) for name in _SYSTEM_USER):
        raise _refused(f"`systemUser` has {', '.join(_SYSTEM_USER)}.", "systemUser")
    if given.keys() - known or not all(_is_header(given[name]) for name in _SYSTEM_USER if name != "privateKey"):
        raise _refused(f"`systemUser` has {', '.join(sorted(known))}.", "systemUser")
    if not given["contextIdentifier"].isalnum():
        raise _refused("A `contextIdentifier` is like Cust12345.", "systemUser")
    if users and not _is_header(given.get("clientId")):
        raise _refused("With `users`, the `clientId` is needed.", "systemUser")
    try:
        key: Any = load_pem_private_key(given["privateKey"].encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise _refused("`privateKey` is an RSA key in PEM, without a password.", "systemUser")
    return SystemUser(
        given["systemToken"], given["clientSecret"], key, given["contextIdentifier"], given.get("clientId")
    )


def _is_header(value: object) -> bool:
    """Whether a request can carry the text."""
    return isinstance(value, str) and bool(value.strip()) and value.isascii() and value.isprintable()


def _refused(message: str, *path: str) -> InvalidInput:
    return InvalidInput(message, path=("credential", *path))
