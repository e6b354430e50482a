"""The selections and subscriptions of destinations, deliveries, policies and alerts."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from app.core.actor import permission_name
from app.core.errors import Forbidden
from app.core.events import topic_name
from app.core.ids import require_id
from app.core.sight import Viewer
from app.destinations.events import AlertTold, DestinationHappened
from app.destinations.model import MANAGE, POLICY_PREFIX, PREFIX
from app.destinations.tables import delivery, destination, policy
from app.feed import Entry, EventStream
from app.feed.stream import Match
from app.interactions.reads.log import may_see
from app.selection.mapping import (
    Computed,
    Env,
    Filter,
    Many,
    Mapped,
    ObjectId,
    ObjectMap,
    One,
    Order,
    Root,
    RootMany,
    TypeMap,
    by_id,
    equals,
    granted,
    keyed,
    reference,
)

_OLDEST = {"OLDEST": Order(lambda scope: (scope.c.id,))}
_NEWEST = {"NEWEST": Order(lambda scope: (scope.c.id,), descending=True)}
_STATUS: Mapping[str, Filter] = {"status": equals(lambda scope: scope.c.status)}
_HAPPENED = "HAPPENED"

_Arguments = Mapping[str, Any]


def _names(_env: Env, permissions: Sequence[str] | None) -> list[str] | None:
    return None if permissions is None else [permission_name(each) for each in permissions]


def _team_refs(_env: Env, numbers: Sequence[int] | None) -> list[str] | None:
    return None if numbers is None else [f"tea_{each}" for each in numbers]


def _refs(_env: Env, numbers: Sequence[int]) -> list[str]:
    return [f"{PREFIX}_{each}" for each in numbers]


MAPPINGS: tuple[Mapped, ...] = (
    TypeMap(
        "Destination",
        destination,
        prefix=PREFIX,
        requires=MANAGE,
        fields={
            "owner": One("User", lambda scope: scope.c.owner_id),
            "permissions": Computed(("permissions",), _names),
            "deliveries": Many("Delivery", keyed("destination_id"), _NEWEST, "NEWEST", _STATUS, inherits=True),
        },
    ),
    TypeMap(
        "Delivery",
        delivery,
        prefix="dsd",
        requires=MANAGE,
        fields={
            "destination": One("Destination", lambda scope: scope.c.destination_id),
            "interaction": One("Interaction", lambda scope: scope.c.interaction_id),
            "policy": One("Policy", lambda scope: scope.c.policy_id),
            "isTest": Computed(("lane",), lambda _, lane: lane is None),
        },
    ),
    TypeMap(
        "Policy",
        policy,
        prefix=POLICY_PREFIX,
        requires=MANAGE,
        fields={
            "destinationIds": Computed(("destination_ids",), _refs),
            "teamIds": Computed(("team_ids",), _team_refs),
        },
    ),
    ObjectMap(
        "AlertEvent",
        {
            "policy": One("Policy", key="policy_id"),
            "interaction": One("Interaction", key="interaction_id"),
            "interactionId": "ref",
        },
    ),
    ObjectMap(
        "DestinationEvent",
        {
            "destination": One("Destination", key="destination_id"),
            "destinationId": ObjectId(PREFIX, "destination_id"),
            "actor": One("User", key="actor_id"),
        },
    ),
)

ROOTS: Mapping[str, Root] = MappingProxyType(
    {
        "destination": by_id("Destination", PREFIX, requires=MANAGE),
        "destinations": RootMany(
            "Destination", _OLDEST, "OLDEST", {"state": equals(lambda scope: scope.c.state)}, requires=MANAGE
        ),
        "policy": by_id("Policy", POLICY_PREFIX, requires=MANAGE),
        "policies": RootMany("Policy", _OLDEST, "OLDEST", requires=MANAGE),
        "deliveries": RootMany(
            "Delivery",
            _NEWEST,
            "NEWEST",
            {"destination_id": reference(lambda scope: scope.c.destination_id, PREFIX), **_STATUS},
            requires=MANAGE,
        ),
    }
)


def _wanted(arguments: _Arguments) -> int | None:
    given = arguments.get("id")
    return None if given is None else require_id(given, PREFIX).number


def _match(viewer: Viewer, arguments: _Arguments) -> Match:
    if not granted(viewer.permissions, MANAGE):
        raise Forbidden(f"This needs the permission {MANAGE}.", permission=MANAGE)
    wanted = _wanted(arguments)

    def match(entry: Entry) -> str | None:
        if not issubclass(entry.type, DestinationHappened):
            return None
        return _HAPPENED if wanted is None or entry.event.data["destination_id"] == wanted else None

    return match


def _keys(arguments: _Arguments) -> Collection[tuple[str, object]]:
    return [("destination_id", _wanted(arguments))]


def _values_of(entry: Entry, name: str) -> Collection[object]:
    return (entry.event.data[name], None) if issubclass(entry.type, DestinationHappened) else ()


def _row(entry: Entry, _as_what: str) -> Mapping[str, object]:
    event = entry.event
    return {
        "cursor": entry.cursor_text,
        "at": entry.logged.at,
        "topic": topic_name(event.topic, event.kind),
        "destination_id": event.data["destination_id"],
        "actor_id": event.actor_id,
        "client_mutation_id": event.client_mutation_id,
    }


def _match_alert(viewer: Viewer, arguments: _Arguments) -> Match:
    wanted = _told(arguments)

    def match(entry: Entry) -> str | None:
        if entry.type is not AlertTold or not may_see(viewer, entry.logged):
            return None
        return _HAPPENED if wanted is None or wanted in entry.event.data["destination_ids"] else None

    return match


def _told(arguments: _Arguments) -> int | None:
    given = arguments.get("destination_id")
    return None if given is None else require_id(given, PREFIX, path=("destination_id",)).number


def _values_of_alert(entry: Entry, name: str) -> Collection[object]:
    return (*entry.event.data[name], None) if entry.type is AlertTold else ()


def _alert_row(entry: Entry, _as_what: str) -> Mapping[str, object]:
    event = entry.event
    told = {name: event.data[name] for name in ("step", "count", "policy_id", "ref")}
    return {
        "cursor": entry.cursor_text,
        "at": entry.logged.at,
        "interaction_id": event.interaction_id,
        **told,
    }


STREAMS = {
    "destinationChanged": EventStream("DestinationEvent", _match, _row, keys=_keys, values_of=_values_of),
    "alertChanged": EventStream(
        "AlertEvent",
        _match_alert,
        _alert_row,
        keys=lambda arguments: [("destination_ids", _told(arguments))],
        values_of=_values_of_alert,
    ),
}
"""What the subscriptions to destinations and to alerts send."""
