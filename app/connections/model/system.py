"""What is kept of a connection to another system."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NotRequired, TypedDict

from app.core.ids import parse_id

MANAGE = "connections:manage"
"""The permission to see and change connections."""

HOOKS = "/hooks"
"""Where all connections take deliveries."""

PREFIX = "con"
"""The prefix of their global ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedSystem:
    """One account of another system. `system` is its connector's, `token` the part of the hook's path that is hard to
    guess. `secret` and `former_secret` are sealed; the former one is valid until `former_until`.

    Of a system that is read and written, `address` is where it is reached, `credential` its sealed token, `cannot` are
    the commands that it cannot do, `reach_fault` is why it was not reached at the latest attempt, `poll_cursor` is from
    where its changes are read on, and `walk_…` is how far the complete walk through its list has come. `missing` is how
    much the latest walk missed, where that was too much to be believed, `missing_allowed` how much a human believes.

    `fault` is why deliveries cannot be taken, as it was found last. `refused_count` counts deliveries with a wrong
    signature. A deleted one stays as the name of where its interactions came from, without its secrets."""

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
        """Where it takes deliveries, below the address of the server."""
        return hook_path(self.id, self.token)


def hook_path(number: int, token: str) -> str:
    """Where the connection with this surrogate and token takes deliveries."""
    return f"{HOOKS}/{PREFIX}_{number}/{token}"


def mirrored_key(number: int, key: str) -> str:
    """The key of ours for the customer that has this key in the system of the connection with this surrogate: two
    systems may give the same key to different customers."""
    return f"{PREFIX}_{number}:{key}"


def parsed_key(customer_key: str) -> tuple[int, str] | None:
    """What `mirrored_key` made a customer's key of; None for a key that it did not make."""
    connection, _, key = customer_key.partition(":")
    found = parse_id(connection)
    return None if found is None or found.prefix != PREFIX or not key else (found.number, key)


class NewConnection(TypedDict):
    """What a connection is made of; a secret is made when none is given."""

    system: str
    name: str
    settings: NotRequired[Mapping[str, object]]
    secret: NotRequired[str | None]
    address: NotRequired[str | None]
    credential: NotRequired[str | None]
