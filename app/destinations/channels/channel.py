"""What a type of destination has to say for itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from types import MappingProxyType
from typing import NamedTuple

from app.core.errors import InvalidInput
from app.core.vapid import Vapid
from app.destinations.channels.alert import Alert
from app.settings import Settings

JSON_HEADERS: Mapping[str, str] = MappingProxyType({"content-type": "application/json", "user-agent": "Switchboard"})
"""What every request says whose content is JSON."""


class Accepted(NamedTuple):
    """What is kept of a destination: the address as it is shown, and the secret that is sealed; `given_out` is what the
    caller is told once."""

    address: str
    secret: str | None
    given_out: str | None = None


class Target(NamedTuple):
    """Where to, with the secrets that count now, the newest first."""

    address: str
    secrets: Sequence[str]


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: the id that is the same at each attempt, the time of the attempt, and the item as JSON.

    `public_url` is where people open the console, without a slash at its end; None where that is not known. `vapid` is
    there where the settings have it."""

    id: str
    at: datetime
    text: str
    public_url: str | None = None
    vapid: Vapid | None = None

    def alert(self) -> Alert | None:
        """What the item says; None of a test."""
        return Alert.of(self.text, self.public_url)


class Request(NamedTuple):
    """A POST over HTTP."""

    url: str
    headers: Mapping[str, str]
    content: bytes


class Letter(NamedTuple):
    """A message by e-mail, without its sender."""

    to: str
    message: EmailMessage


@dataclass(frozen=True, slots=True)
class Channel:
    """A type of destination.

    `accept(address, secret)` says what is kept of what its maker gives; it raises InvalidInput. `made` turns an item
    into what is sent. `takes_secret` is whether its maker gives a secret, `tells_documents` whether it can send
    whatever a subscription selects, `by_mail` whether its address is one of e-mail. `lacks` says which settings are
    missing, `gone` are the statuses by which a receiver says that it wants nothing any more."""

    accept: Callable[[str, str | None], Accepted]
    made: Callable[[Target, Message], Request | Letter]
    takes_secret: bool = False
    tells_documents: bool = False
    by_mail: bool = False
    lacks: Callable[[Settings], str | None] = lambda _settings: None
    gone: frozenset[int] = frozenset({410})


def without_path(address: str) -> str:
    """A URL whose path is a secret, as it may be shown."""
    return f"{origin_of(address)}/…"


def origin_of(address: str) -> str:
    """The scheme and the host of a URL."""
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def secret_url(address: str, secret: str | None) -> Accepted:
    """Accept a URL that whoever knows it may send to."""
    no_secret(secret)
    return Accepted(without_path(address), address)


def no_secret(secret: str | None) -> None:
    """Raises InvalidInput for a secret where there is none to give."""
    if secret is not None:
        raise InvalidInput("A destination of this type takes no secret.", path=("secret",))
