"""The stored model of a connection to another system."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NotRequired, TypedDict

from app.core.ids import parse_id

MANAGE = "connections:manage"
"""The permission to see and change connections."""

HOOKS = "/hooks"
"""The path below which all connections take deliveries."""

PREFIX = "con"
"""The prefix of their global ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedSystem:
    """One account of another system. `system` is the name of its connector, `token` the unguessable part of the hook's
    path. `secret` and `former_secret` are sealed; the former one is valid until `former_until`.

    These fields are for a system that is read and written. `address` is its URL, and `credential` its sealed token.
    `cannot` are the commands that it cannot do. `reach_fault` is why the latest attempt did not reach it. `poll_cursor`
    is the place from which its changes are read. `walk_…` is how far the complete walk through its list has come.
    `missing` is how much the latest walk missed, if that was too much to be believed, and `missing_allowed` is how much
    a human has confirmed.

    `fault` is why deliveries cannot be accepted, as last found. `refused_count` counts deliveries with a wrong
    signature. A deleted connection stays without its secrets, because its interactions still name it as their
    origin."""

    id: int = 0
    system: str
    name: str
    settings: Mapping[str, object] = field(default_factory=dict)
    token: str
    secret: str | None
    former_secret: str | None = None
    former_until: datetime | None = None
    address: str | None = None
    credential: str | None = None
    cannot: str | None = None
    reach_fault: str | None = None
    polled_at: datetime | None = None
    poll_cursor: str | None = None
    walked_at: datetime | None = None
    walk_began_at: datetime | None = None
    walk_page: int | None = None
    walk_pages: int | None = None
    walk_after: str | None = None
    missing: int | None = None
    missing_allowed: int | None = None
    paused: bool = False
    fault: str | None = None
    last_delivery_at: datetime | None = None
    last_refused_at: datetime | None = None
    refused_count: int = 0
    version: int = 1
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    @property
    def hook_path(self) -> str:
        """The path where it takes deliveries, below the address of the server."""
        return hook_path(self.id, self.token)


def hook_path(number: int, token: str) -> str:
    """The path where the connection with this surrogate and token takes deliveries."""
    return f"{HOOKS}/{PREFIX}_{number}/{token}"


def mirrored_key(number: int, key: str) -> str:
    """Our key for the customer that has this key in the system of the connection with this surrogate. Two systems may
    give the same key to different customers."""
    return f"{PREFIX}_{number}:{key}"


def parsed_key(customer_key: str) -> tuple[int, str] | None:
    """The arguments from which `mirrored_key` made a customer's key. None for a key that it did not make."""
    connection, _, key = customer_key.partition(":")
    found = parse_id(connection)
    return None if found is None or found.prefix != PREFIX or not key else (found.number, key)


class NewConnection(TypedDict):
    """What a connection is made of. Without a secret, one is made."""

    system: str
    name: str
    settings: NotRequired[Mapping[str, object]]
    secret: NotRequired[str | None]
    address: NotRequired[str | None]
    credential: NotRequired[str | None]
