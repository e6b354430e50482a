"""Deliveries: the events that were delivered, given up or tried."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.destinations.model import Attempt, Delivery, DeliveryStatus, Place
from app.destinations.tables import delivery
from app.interactions.tables import interaction
from app.storage.constructs import insert_into
from app.storage.repository import Repository

_KEYS = (delivery.c.destination_id, delivery.c.run, delivery.c.lane, delivery.c.position)
_MADE_ONCE = frozenset(
    {"destination_id", "run", "lane", "position", "webhook_id", "topic", "interaction_id", "policy_id"}
)


class DeliveryRepository(Repository):
    """Named queries over deliveries."""

    def known(self, destination_id: int, run: int, places: Iterable[Place]) -> Mapping[Place, Delivery]:
        """The deliveries of the events at these places."""
        by_lane: dict[int, list[int]] = {}
        for place in places:
            by_lane.setdefault(place.lane, []).append(place.position)
        found: dict[Place, Delivery] = {}
        for lane, positions in by_lane.items():
            mine = (delivery.c.destination_id == destination_id, delivery.c.run == run, delivery.c.lane == lane)
            for row in self._all(sa.select(delivery).where(*mine, delivery.c.position.in_(positions))):
                found[Place(row.lane, row.position)] = _model(row)
        return found

    def note(self, destination_id: int, run: int, found: Delivery, *, behind: bool) -> int:
        """Insert or update a delivery, with whether the cursor is past it. Returns its surrogate."""
        values = _values(destination_id, run, found, behind=behind)
        changing = {name: value for name, value in values.items() if name not in _MADE_ONCE}
        insert = insert_into(self.dialect_name, delivery).values(values)
        statement = insert.on_conflict_do_update(index_elements=list(_KEYS), set_=changing)
        return int(self.connection.execute(statement.returning(delivery.c.id)).scalar_one())

    def pass_by(self, destination_id: int, run: int, places: Iterable[Place]) -> None:
        """Mark deliveries that the cursor has passed."""
        rows = [{"l": place.lane, "p": place.position} for place in places]
        if rows:
            mine = (delivery.c.destination_id == destination_id, delivery.c.run == run)
            at = (delivery.c.lane == sa.bindparam("l"), delivery.c.position == sa.bindparam("p"))
            self.connection.execute(sa.update(delivery).where(*mine, *at).values(behind=True), rows)

    def retry_at_once(self, destination_id: int, now: datetime) -> None:
        """Make failed deliveries due now, with the whole time for retries again."""
        mine = (delivery.c.destination_id == destination_id, delivery.c.status == DeliveryStatus.PENDING)
        self.connection.execute(sa.update(delivery).where(*mine).values(first_attempt_at=now, next_attempt_at=now))

    def end_runs(self, destination_id: int, run: int) -> None:
        """Mark the pending deliveries of earlier runs as passed."""
        mine = (delivery.c.destination_id == destination_id, delivery.c.run < run)
        waiting = delivery.c.status == DeliveryStatus.PENDING
        given_up = {"status": DeliveryStatus.GIVEN_UP, "next_attempt_at": None}
        self.connection.execute(sa.update(delivery).where(*mine, waiting).values(given_up))
        self.connection.execute(sa.update(delivery).where(*mine, sa.not_(delivery.c.behind)).values(behind=True))

    def erase_excerpts(self, interaction_id: int, most: int) -> int:
        """Erase the answers to at most `most` deliveries about an interaction. Returns how many."""
        mine = (delivery.c.interaction_id == interaction_id, delivery.c.excerpt.is_not(None))
        some = sa.select(delivery.c.id).where(*mine).limit(most)
        erased = sa.update(delivery).where(delivery.c.id.in_(some.scalar_subquery())).values(excerpt=None)
        return self.connection.execute(erased).rowcount

    def hold_interactions(self, numbers: Iterable[int]) -> frozenset[int]:
        """Lock the interactions that exist, so that none is deleted before the unit ends. Returns them."""
        found = sa.select(interaction.c.id).where(interaction.c.id.in_(list(numbers)))
        return frozenset(self.connection.execute(found.with_for_update(read=True, key_share=True)).scalars())

    def raise_positions(self, by: int) -> None:
        """Follow the events, whose positions were raised."""
        self.connection.execute(sa.update(delivery).values(position=delivery.c.position + by))

    def forget(self, before: datetime, most: int) -> int:
        """Delete deliveries that the cursor has passed and that were last tried before this time. Returns how many."""
        old = sa.select(delivery.c.id).where(delivery.c.behind, delivery.c.attempted_at < before).limit(most)
        return self.connection.execute(sa.delete(delivery).where(delivery.c.id.in_(old))).rowcount


def _model(row: Any) -> Delivery:
    return Delivery(
        webhook_id=row.webhook_id,
        place=Place(row.lane, row.position),
        topic=row.topic,
        interaction_id=row.interaction_id,
        policy_id=row.policy_id,
        status=DeliveryStatus(row.status),
        attempts=row.attempts,
        first_attempt_at=row.first_attempt_at,
        next_attempt_at=row.next_attempt_at,
        latest=Attempt(
            at=row.attempted_at,
            latency_ms=row.latency_ms,
            http_status=row.http_status,
            fault=row.fault,
            excerpt=row.excerpt,
        ),
    )


def _values(destination_id: int, run: int, found: Delivery, *, behind: bool) -> dict[str, object]:
    place, latest = found.place, found.latest
    return {
        "destination_id": destination_id,
        "run": run,
        "lane": None if place is None else place.lane,
        "position": None if place is None else place.position,
        "webhook_id": found.webhook_id,
        "topic": found.topic,
        "interaction_id": found.interaction_id,
        "policy_id": found.policy_id,
        "status": found.status,
        "attempts": found.attempts,
        "first_attempt_at": found.first_attempt_at,
        "attempted_at": latest.at,
        "next_attempt_at": found.next_attempt_at,
        "latency_ms": latest.latency_ms,
        "http_status": latest.http_status,
        "fault": latest.fault,
        "excerpt": latest.excerpt,
        "behind": behind,
    }
