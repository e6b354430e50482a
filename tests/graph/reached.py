"""Destinations, and what was delivered to them."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.destinations.model import (
    Attempt,
    Delivery,
    DeliveryStatus,
    DestinationChanges,
    DestinationReason,
    DestinationType,
    Place,
)
from app.destinations.repository import DestinationRepository
from app.destinations.service import (
    Settled,
    create_destination,
    create_policy,
    delete_destination,
    delete_policy,
    follow,
    halt,
    pause_destination,
    replay_destination,
    resume_destination,
    rotate_secret,
    settle,
    update_destination,
    update_policy,
)
from app.destinations.tables import delivery, destination, policy
from app.storage.database import Work
from tests.graph.running import ADMIN, Graph

_DOCUMENT = "subscription Alerts($level: AttentionLevel) { attentionChanged { cursor interaction { id } } }"
_DESTINATIONS = [
    ("Pager", "ACTIVE", None, ["conversation:read", "destinations:manage"]),
    ("Wall", "PAUSED", "REQUESTED", None),
    ("Ünï \U0001f600", "STOPPED", "GONE", []),
]
"""Of each destination its name, its state with the reason, and what it is narrowed to."""

_DELIVERIES = [
    (1, 0, 7, "DELIVERED", 200, None),
    (1, 0, 9, "PENDING", 503, None),
    (1, 0, 11, "GIVEN_UP", None, "TIMEOUT"),
    (1, None, None, "DELIVERED", 204, None),
    (2, 0, 7, "PENDING", None, "CERTIFICATE"),
    (4, 0, 7, "DELIVERED", 200, None),
]
"""Of each delivery its destination, the last of which is gone, its place in the log, and what came of it."""


async def store_destinations(graph: Graph) -> None:
    """Policies, and destinations: the first has several deliveries, the last none, and one outlived its own."""
    await graph.database.command(_store)
    await graph.database.command(_store_policies)


def _store(work: Work) -> None:
    at = work.now
    for name, state, reason, permissions in _DESTINATIONS:
        is_active = state == "ACTIVE"
        row: dict[str, Any] = {
            "permissions": permissions,
            "operation_name": "Alerts" if is_active else None,
            "variables": {"level": "HIGH"} if is_active else {},
            "former_until": at + timedelta(hours=1) if is_active else None,
            "reason": reason,
            "message": reason and "It was so.",
            "failing_since": at if is_active else None,
        }
        work.connection.execute(sa.insert(destination).values(destination_row(at, name=name, state=state, **row)))
    for number, (of, lane, position, status, answered, fault) in enumerate(_DELIVERIES, start=1):
        row = {
            "destination_id": of,
            "run": 1,
            "lane": lane,
            "position": position,
            "webhook_id": f"dst_{of}_{lane}_{position}",
            "topic": None if lane is None else "ATTENTION_RAISED",
            "interaction_id": None if lane is None else number,
            "policy_id": 1 if status == "PENDING" else None,
            "status": status,
            "attempts": number,
            "first_attempt_at": at,
            "attempted_at": at + timedelta(seconds=number),
            "next_attempt_at": at + timedelta(minutes=1) if status == "PENDING" else None,
            "latency_ms": 10 * number,
            "http_status": answered,
            "fault": fault,
            "excerpt": "ok" if answered == 200 else None,
            "behind": status == "DELIVERED",
        }
        work.connection.execute(sa.insert(delivery).values(row))


def _store_policies(work: Work) -> None:
    at = work.now
    for number, name in enumerate(("Night", "Ünï \U0001f600", "All"), start=1):
        row = {
            "name": name,
            "enabled": number > 1,
            "kinds": ["CONVERSATION", "SESSION"] if number == 1 else None,
            "levels": ["URGENT"] if number == 1 else None,
            "reasons": [] if number == 2 else None,
            "destination_ids": list(range(1, number)),
            "after_minutes": 5 * number,
            "again_minutes": 10 if number == 1 else None,
            "quiet_from": "22:00" if number == 1 else None,
            "quiet_to": "07:00" if number == 1 else None,
            "time_zone": "Europe/Oslo",
            "created_at": at,
            "updated_at": at,
            "version": number,
        }
        work.connection.execute(sa.insert(policy).values(row))


def destination_row(at: datetime, **given: Any) -> dict[str, Any]:
    """A row of the table of destinations."""
    return {
        "name": "Pager",
        "type": "WEBHOOK",
        "address": "https://pager.example.com/hook",
        "owner_id": 1,
        "document": _DOCUMENT,
        "variables": {},
        "most_in_flight": 4,
        "secret": "sealed",
        "state": "ACTIVE",
        "state_changed_at": at,
        "delivered_at": at,
        "cursor": "a place",
        "run": 1,
        "created_at": at,
        "updated_at": at,
        "version": 2,
        **given,
    }


def life_of_a_destination() -> Iterator[Callable[[Work], Any]]:
    """Commands in the order of a destination's life, which together tell of all that can happen to one."""
    number = len(_DESTINATIONS) + 1
    ref = f"dst_{number}"
    given: DestinationChanges = {
        "name": "New",
        "type": DestinationType.WEBHOOK,
        "address": "https://new.example.com/",
        "document": _DOCUMENT,
        "operation_name": None,
        "variables": {},
        "most_in_flight": 4,
    }
    yield lambda work: create_destination(work, ADMIN, given)
    yield lambda work: update_destination(work, ADMIN, ref, {"name": "Newer"})
    yield lambda work: rotate_secret(work, ADMIN, ref)
    yield lambda work: pause_destination(work, ADMIN, ref)
    yield lambda work: resume_destination(work, ADMIN, ref)
    yield lambda work: replay_destination(work, ADMIN, ref, time=work.now)
    yield lambda work: work.use(DestinationRepository).take([number], "here", ())
    yield lambda work: settle(work, "here", number, _settled(work, fails=True))
    yield lambda work: settle(work, "here", number, _settled(work, fails=False))
    yield lambda work: halt(work, "here", number, 2, DestinationReason.GONE, "410")
    told = f"dst_{number + 1}"
    yield lambda work: create_destination(work, ADMIN, {**given, "name": "Told", "document": None})
    yield lambda work: create_policy(work, ADMIN, {"name": "New", "destination_ids": [told]})
    yield lambda work: update_policy(work, ADMIN, "pol_4", {"name": "Newer"})
    yield lambda work: follow(work, "here", timedelta(minutes=1))
    yield lambda work: delete_policy(work, ADMIN, "pol_4")
    yield lambda work: delete_destination(work, ADMIN, ref)


def _settled(work: Work, *, fails: bool) -> Settled:
    given_up = Delivery(
        webhook_id="dst_4_0_1",
        place=Place(0, 1),
        topic=None,
        interaction_id=None,
        status=DeliveryStatus.GIVEN_UP,
        attempts=9,
        first_attempt_at=work.now,
        next_attempt_at=None,
        latest=Attempt(at=work.now, latency_ms=1, http_status=500),
    )
    return Settled(
        run=2,
        deliveries=[given_up] if fails else [],
        behind=frozenset({Place(0, 1)}),
        cursor="a place",
        failing_since=work.now if fails else None,
        delivered_at=None,
    )
