"""The interface of a type of destination."""

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
"""The headers of every request with a JSON body."""


class Accepted(NamedTuple):
    """What is stored of a new destination: the address as the graph shows it and the secret, which is then sealed.

    `given_out` is a secret that is returned to the caller once."""

    address: str
    secret: str | None
    given_out: str | None = None


class Target(NamedTuple):
    """Where to send, with the valid secrets, newest first."""

    address: str
    secrets: Sequence[str]


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: an id that is the same at each attempt, the time of the attempt, and the item as JSON.

    `public_url` is the address of the console without a slash at its end. It and `vapid` are None when not set."""

    id: str
    at: datetime
    text: str
    public_url: str | None = None
    vapid: Vapid | None = None

    def alert(self) -> Alert | None:
        """The alert of the item; None for a test message."""
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

    `accept(address, secret)` returns what to store of the given values; it raises InvalidInput. `made` renders an item
    as a request or a letter. `takes_secret`: the user supplies a secret. `tells_documents`: it can send the items of
    any subscription. `by_mail`: the address is an e-mail address. `lacks` names the missing settings. A status in
    `gone` stops the destination for good."""

    accept: Callable[[str, str | None], Accepted]
    made: Callable[[Target, Message], Request | Letter]
    takes_secret: bool = False
    tells_documents: bool = False
    by_mail: bool = False
    lacks: Callable[[Settings], str | None] = lambda _settings: None
    gone: frozenset[int] = frozenset({410})


def without_path(address: str) -> str:
    """The address in the form that may be shown when its path is a secret."""
    return f"{origin_of(address)}/…"


def origin_of(address: str) -> str:
    """The scheme and the host of a URL."""
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def secret_url(address: str, secret: str | None) -> Accepted:
    """Accepts a URL that is itself a secret: anyone who knows it can post to it."""
    no_secret(secret)
    return Accepted(without_path(address), address)


def no_secret(secret: str | None) -> None:
    """Raises InvalidInput if a secret is given."""
    if secret is not None:
        raise InvalidInput("A destination of this type takes no secret.", path=("secret",))
