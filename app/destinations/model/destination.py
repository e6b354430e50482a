"""A destination, which receives a subscription's items or alerts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypedDict

from app.core.actor import Actor
from app.core.sight import common
from app.directory.model import User
from app.directory.model.checks import Check, json_object, line, one_of, optional, text, whole

MANAGE = "destinations:manage"
PREFIX = "dst"

LONGEST_ADDRESS = 2_048
LONGEST_DOCUMENT = 65_536
LONGEST_SECRET = 1_024
MOST_IN_FLIGHT = 32


class DestinationType(StrEnum):
    """The tool or protocol by which a destination is reached."""

    WEBHOOK = "WEBHOOK"
    SLACK = "SLACK"
    TEAMS = "TEAMS"
    PAGERDUTY = "PAGERDUTY"
    EMAIL = "EMAIL"
    WEB_PUSH = "WEB_PUSH"


class DestinationState(StrEnum):
    """Whether a destination gets deliveries."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"


class DestinationReason(StrEnum):
    """Why a destination gets no deliveries."""

    REQUESTED = "REQUESTED"
    FAILING = "FAILING"
    GONE = "GONE"
    OWNER_INACTIVE = "OWNER_INACTIVE"
    OWNER_NOT_ALLOWED = "OWNER_NOT_ALLOWED"
    EVENTS_LOST = "EVENTS_LOST"
    SUBSCRIPTION_REFUSED = "SUBSCRIPTION_REFUSED"
    SECRET_UNREADABLE = "SECRET_UNREADABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A destination; `id` is a surrogate, the secrets are sealed.

    Its document runs as its owner; a destination without one gets the alerts of policies. If `permissions` is narrowed,
    to those of the key that made it, the document runs with no more than these. Everything up to `cursor` has been
    delivered or given up. Some events after it may be delivered too: deliveries of the same `run` say which."""

    id: int = 0
    name: str
    type: DestinationType = DestinationType.WEBHOOK
    address: str
    owner_id: int
    permissions: tuple[str, ...] | None = None
    document: str | None
    operation_name: str | None = None
    variables: Mapping[str, object]
    most_in_flight: int = 4
    secret: str | None
    former_secret: str | None = None
    former_until: datetime | None = None
    state: DestinationState = DestinationState.ACTIVE
    reason: DestinationReason | None = None
    message: str | None = None
    state_changed_at: datetime
    failing_since: datetime | None = None
    delivered_at: datetime | None = None
    cursor: str
    run: int = 1
    created_at: datetime
    updated_at: datetime
    version: int = 1

    def may_be_changed_by(self, actor: Actor) -> bool:
        """Whether the actor learns nothing by changing it that it may not see: an admin, or the owner with a key that
        holds all permissions the document runs with. Whoever chooses the address chooses who reads the items."""
        if actor.is_admin:
            return True
        if actor.user_id != self.owner_id:
            return False
        return not actor.is_narrowed or (
            self.permissions is not None and actor.permissions.issuperset(self.permissions)
        )

    def secrets_at(self, now: datetime) -> list[str]:
        """The sealed secrets that are valid now, newest first."""
        if self.secret is None:
            return []
        former = self.former_secret
        if former is None or self.former_until is None or self.former_until <= now:
            return [self.secret]
        return [self.secret, former]


class DestinationChanges(TypedDict, total=False):
    """The fields of a new destination, or of a change. An absent key leaves the field unchanged."""

    name: str
    type: DestinationType
    address: str
    secret: str | None
    document: str | None
    operation_name: str | None
    variables: Mapping[str, object] | None
    most_in_flight: int


def _variables(value: object, path: tuple[str | int, ...]) -> Mapping[str, object]:
    return {} if value is None else json_object(value, path)


CHANGEABLE: Mapping[str, Check] = MappingProxyType(
    {
        "name": line(255, blank=False),
        "type": one_of(DestinationType),
        "address": line(LONGEST_ADDRESS, blank=False),
        "secret": optional(line(LONGEST_SECRET, blank=False)),
        "document": optional(text(LONGEST_DOCUMENT, blank=False)),
        "operation_name": optional(line(255, blank=False)),
        "variables": _variables,
        "most_in_flight": whole(1, MOST_IN_FLIGHT),
    }
)


def acting(owner: User, narrowed: Collection[str] | None) -> Actor:
    """The actor that a destination's document runs as: its owner, with at most the destination's permissions."""
    held = frozenset(narrowed or ()) if owner.is_admin else frozenset(owner.permissions)
    return Actor(
        user_id=owner.id,
        name=owner.name,
        permissions=held if narrowed is None else common(held, narrowed),
        is_admin=owner.is_admin and narrowed is None,
        is_narrowed=narrowed is not None,
        teams=frozenset(owner.team_ids),
    )
