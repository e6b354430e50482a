"""The types of settings that are not plain numbers or texts."""

import re
from datetime import timedelta
from email.errors import HeaderParseError
from email.headerregistry import Address
from typing import Annotated
from urllib.parse import urlsplit

import phonenumbers
from cryptography.fernet import Fernet
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from app.core.durations import parse_duration, require_possible
from app.core.vapid import private_key_of

LARGEST_PORT = 65_535

Port = Annotated[int, Field(ge=0, le=LARGEST_PORT)]


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(require_possible)]

SHORTEST_SECRET = 16
LONGEST_SECRET = 255


def _strong(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    if not secret.strip():
        raise ValueError("it is empty; leave the variable unset to do without it")
    if secret != secret.strip():
        raise ValueError("it must not begin or end with white space")
    if not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET:
        raise ValueError(f"it needs {SHORTEST_SECRET} to {LONGEST_SECRET} characters, such as `openssl rand -hex 32`")
    return value


Secret = Annotated[SecretStr, AfterValidator(_strong)]


def _fernet_key(value: SecretStr) -> SecretStr:
    try:
        Fernet(value.get_secret_value())
    except ValueError:
        raise ValueError("it is no key; `python -m app secrets-key` makes one") from None
    return value


FernetKey = Annotated[SecretStr, AfterValidator(_fernet_key)]

_SCHEME_AND_HOST = re.compile(r"([a-z][a-z0-9+.-]*)://[^\s/?#@*]+", re.ASCII)
_NAMELESS = ("*", "null")  # any origin, and the origin of a page without one, such as a file
_USUAL_PORTS = {"http": ":80", "https": ":443"}


def _origin(value: str) -> str:
    """The origin as browsers spell it."""
    if value in _NAMELESS:
        return value
    found = _SCHEME_AND_HOST.fullmatch(value.lower())
    if found is None:
        raise ValueError(
            "an origin is a scheme, a host and a port unless it is the usual one, such as http://localhost:5173"
        )
    return found[0].removesuffix(_USUAL_PORTS.get(found[1], "/"))


Origin = Annotated[str, AfterValidator(_origin)]


def _region(value: str) -> str:
    if value not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("it has to be a country as by ISO 3166, such as NO")
    return value


Region = Annotated[str, AfterValidator(_region)]


_STORE_SCHEMES = ("redis", "rediss", "valkey", "valkeys")


def _store_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_whole = parts.scheme in _STORE_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or not re.fullmatch(r"(/\d*)?", parts.path, re.ASCII):
        raise ValueError(
            "it has to be a URL such as redis://cache.example.com:6379/0, by redis://, rediss://, valkey:// or "
            "valkeys://; what a password has of @, / and : is written as %40, %2F and %3A"
        )
    return value


StoreUrl = Annotated[str, AfterValidator(_store_url)]

_PUBLIC_URL = re.compile(r"https?://[^\s/?#@*]+(/[^\s?#]*)?", re.ASCII)


def _public_url(value: str) -> str:
    if not _PUBLIC_URL.fullmatch(value):
        raise ValueError("it has to be a URL such as https://switchboard.example.com")
    return value.rstrip("/")


PublicUrl = Annotated[str, AfterValidator(_public_url)]


def _address(value: str) -> str:
    try:
        return Address(addr_spec=value).addr_spec
    except (HeaderParseError, ValueError, IndexError):
        raise ValueError("it has to be an e-mail address") from None


MailAddress = Annotated[str, AfterValidator(_address)]


def _vapid_key(value: SecretStr) -> SecretStr:
    try:
        private_key_of(value.get_secret_value())
    except ValueError:
        raise ValueError("it is no key; `python -m app push-key` makes one") from None
    return value


VapidKey = Annotated[SecretStr, AfterValidator(_vapid_key)]

_CONTACT = re.compile(r"(mailto:[^\s@]+@[^\s@]+|https://[^\s]+)", re.ASCII)


def _contact(value: str) -> str:
    if not _CONTACT.fullmatch(value):
        raise ValueError("it has to be a mailto: address or an https URL")
    return value


Contact = Annotated[str, AfterValidator(_contact)]
