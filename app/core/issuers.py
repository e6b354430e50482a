"""The content of the setting of identity providers."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_MOST_AUDIENCES = 20
_MOST_TEAMS = 100
_STANDARD_PORTS = {"https": 443, "http": 80}


def is_loopback(host: str) -> bool:
    """Whether the host is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def checked_url(text: str) -> SplitResult:
    """The parts of an address that tokens may depend on: https, or http on this machine. Raises ValueError."""
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ValueError("an address holds no spaces")
    parts = urlsplit(text)
    host = parts.hostname
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("it has to be an address such as https://login.example.com, without a user or a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError("it has to begin with https://; http:// is for this machine alone")
    _ = parts.port  # raises ValueError when the port is not a number
    return parts


def origin_of(url: str) -> str:
    """The origin of an address as browsers spell it. Raises ValueError as `checked_url` does."""
    parts = checked_url(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    usual = parts.port is None or parts.port == _STANDARD_PORTS[parts.scheme]
    return f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{parts.port}"


def _issuer(value: str) -> str:
    if checked_url(value).query:
        raise ValueError("an issuer has no query")
    return value


def _path(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1, max_length=255)]
ClaimPath = Annotated[tuple[Text, ...], BeforeValidator(_path), Field(min_length=1, max_length=8)]
"""Where a claim is: its name, or the names of nested objects that lead to it."""


TeamId = Annotated[str, Field(pattern=r"^tea_[1-9][0-9]{0,17}$")]
"""The global id of a team."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Grants(_Part):
    """The permissions of a group's members, and the teams whose interactions they see."""

    permissions: tuple[str, ...] = ()
    teams: Annotated[tuple[TeamId, ...], Field(max_length=_MOST_TEAMS)] = ()
    admin: bool = False


class Issuer(_Part):
    """An OpenID Connect provider whose access tokens are accepted, and what they grant here."""

    issuer: Annotated[Text, AfterValidator(_issuer)]
    audiences: Annotated[tuple[Text, ...], Field(min_length=1, max_length=_MOST_AUDIENCES)]
    groups_claim: ClaimPath = ("groups",)
    groups: Mapping[str, Grants] = {}
    email_claim: ClaimPath = ("email",)
    email_verified_claim: ClaimPath = ("email_verified",)
    name_claim: ClaimPath = ("name",)
    link_by_email: bool = True
    create_users: bool = False
    client_id: Text | None = None
    scopes: Text = "openid profile email"
    authorization_parameters: Mapping[Text, Text] = {}
    page_origins: tuple[Annotated[Text, AfterValidator(origin_of)], ...] = ()


def unknown_permissions(issuers: Sequence[Issuer], known: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """The permissions in the setting that do not exist, each with its issuer and group."""
    for each in issuers:
        for group, grants in each.groups.items():
            for permission in grants.permissions:
                if permission not in known:
                    yield each.issuer, group, permission
