"""Named queries over what connections delivered."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from app.connections.tables import DONE, PARKED, PENDING, connected_system, in_state, inbox
from app.interactions.connector import About
from app.storage.constructs import insert_into
from app.storage.query import Query
from app.storage.repository import Repository

WAITING = Query(
    "SELECT id, (SELECT min(due_at) FROM inbox WHERE connection_id = connected_system.id "
    f"AND state = '{PENDING}') FROM connected_system WHERE NOT paused AND deleted_at IS NULL ORDER BY id"
)
"""The connections that are not paused, with the due time of each one's first waiting delivery; rows of the driver."""

_OPEN: sa.CompoundSelect[Any] = sa.union_all(
    *(
        sa.select(sa.literal_column("1").label("one"))
        .select_from(inbox)
        .where(inbox.c.connection_id == sa.bindparam("of", type_=sa.BigInteger), in_state(state))
        for state in (PENDING, PARKED)
    )
)


_EMPTIED: Mapping[str, None] = {"body": None, "reason": None, "about": None, "customer_id": None}
"""What is left of a delivery that no longer waits: its key."""


class Delivery(NamedTuple):
    """A delivery that waits. `attempts` is how often applying it has failed."""

    id: int
    connection_id: int
    body: str
    attempts: int


class Parked(NamedTuple):
    """A delivery that could not be applied, and why."""

    id: int
    received_at: datetime
    attempts: int
    reason: str


class InboxRepository(Repository):
    """The deliveries of all connections."""

    def add_if_new(self, connection_id: int, event_key: str, body: str, about: About, now: datetime) -> bool:
        """Store a delivery to be applied. Returns False if one with its key was received before."""
        insert = insert_into(self.dialect_name, inbox).values(
            connection_id=connection_id,
            event_key=event_key,
            received_at=now,
            state=PENDING,
            body=body,
            attempts=0,
            due_at=now,
            about=about.key,
            customer_id=about.customer_id,
        )
        return self._one(insert.on_conflict_do_nothing().returning(inbox.c.id)) is not None

    def has(self, connection_id: int, event_key: str) -> bool:
        """Whether a delivery with this key was received before."""
        found = sa.select(inbox.c.id).where(inbox.c.connection_id == connection_id, inbox.c.event_key == event_key)
        return self._one(found) is not None

    def count_open(self, connection_id: int, most: int) -> int:
        """How many deliveries of the connection are pending or parked, counted up to `most`."""
        some = _OPEN.limit(most).subquery()
        row = self._one(sa.select(sa.func.count()).select_from(some), {"of": connection_id})
        return 0 if row is None else int(row[0])

    def count_in(self, connection_id: int, state: str) -> int:
        """How many deliveries of the connection are in this state."""
        found = sa.select(sa.func.count()).select_from(inbox).where(inbox.c.connection_id == connection_id)
        row = self._one(found.where(in_state(state)))
        return 0 if row is None else int(row[0])

    def first_due(self, connection_id: int) -> datetime | None:
        """When the first of the connection's pending deliveries is or was to be applied."""
        found = sa.select(sa.func.min(inbox.c.due_at)).where(inbox.c.connection_id == connection_id, in_state(PENDING))
        row = self._one(found)
        return None if row is None else row[0]

    def due(self, connection_id: int, now: datetime, most: int) -> Sequence[int]:
        """The surrogates of deliveries that are due, in the order of their arrival."""
        found = sa.select(inbox.c.id).where(
            inbox.c.connection_id == connection_id, in_state(PENDING), inbox.c.due_at <= now
        )
        return [row[0] for row in self._all(found.order_by(inbox.c.id).limit(most))]

    def take(self, delivery_id: int, now: datetime) -> Delivery | None:
        """Lock a delivery that is due. None when it is no longer due, or its connection is paused or deleted."""
        found = (
            sa.select(inbox.c.id, inbox.c.connection_id, inbox.c.body, inbox.c.attempts)
            .select_from(inbox.join(connected_system))
            .where(
                inbox.c.id == delivery_id,
                in_state(PENDING),
                inbox.c.due_at <= now,
                sa.not_(connected_system.c.paused),
                connected_system.c.deleted_at.is_(None),
            )
            .with_for_update(of=inbox)
        )
        row = self._one(found)
        return None if row is None else Delivery(*row)

    def done(self, delivery_id: int) -> None:
        """The delivery was applied. Its body is erased; its key stays for a while."""
        self._set(delivery_id, state=DONE, **_EMPTIED)

    def put_off(self, delivery_id: int, attempts: int, due_at: datetime, reason: str, customer_id: int | None) -> None:
        """Try it again later. The customer is the one it is about, if that is known."""
        self._set(delivery_id, attempts=attempts, due_at=due_at, reason=reason, customer_id=customer_id)

    def park(self, delivery_id: int, attempts: int, reason: str, customer_id: int | None) -> None:
        """It cannot be applied. The customer is the one it is about, if that is known."""
        self._set(delivery_id, state=PARKED, attempts=attempts, reason=reason, customer_id=customer_id)

    def parked(self, connection_id: int) -> Sequence[Parked]:
        """The connection's parked deliveries, in the order of their arrival."""
        columns = (inbox.c.id, inbox.c.received_at, inbox.c.attempts, inbox.c.reason)
        found = sa.select(*columns).where(*_parked(connection_id, None)).order_by(inbox.c.id)
        return [Parked(*row) for row in self._all(found)]

    def replay(self, connection_id: int, now: datetime, only: Collection[int] | None) -> int:
        """Apply parked deliveries of the connection again, all or only these. Returns how many."""
        again = sa.update(inbox).where(*_parked(connection_id, only))
        return self.connection.execute(again.values(state=PENDING, attempts=0, due_at=now, reason=None)).rowcount

    def drop(self, connection_id: int, only: Collection[int] | None) -> int:
        """Erase the bodies of parked deliveries of the connection, all or only these. Returns how many.

        Their keys stay for a while, so that a repeat does not bring them back."""
        gone = sa.update(inbox).where(*_parked(connection_id, only))
        return self.connection.execute(gone.values(state=DONE, **_EMPTIED)).rowcount

    def erase_open(self, connection_id: int) -> None:
        """Erase the bodies of everything that the connection delivered and that was not applied."""
        still = sa.or_(in_state(PENDING), in_state(PARKED))
        of_it = sa.update(inbox).where(inbox.c.connection_id == connection_id, still)
        self.connection.execute(of_it.values(state=DONE, **_EMPTIED))

    def erase_about(self, connection_id: int, key: str) -> None:
        """Erase the bodies of deliveries that were not applied and name the customer with this key in the other system.

        Their keys stay for a while, so that a repeat does not bring them back."""
        found = sa.update(inbox).where(inbox.c.connection_id == connection_id, inbox.c.about == key)
        self.connection.execute(found.values(state=DONE, **_EMPTIED))

    def forget(self, before: datetime, most: int) -> bool:
        """Delete keys of applied deliveries from before this time, at most so many. Returns whether more may be
        left."""
        old = sa.select(inbox.c.id).where(in_state(DONE), inbox.c.received_at < before).limit(most)
        return self.connection.execute(sa.delete(inbox).where(inbox.c.id.in_(old))).rowcount >= most

    def _set(self, delivery_id: int, **values: object) -> None:
        self.connection.execute(sa.update(inbox).where(inbox.c.id == delivery_id).values(values))


def _parked(connection_id: int, only: Collection[int] | None) -> list[sa.ColumnElement[bool] | sa.TextClause]:
    found: list[sa.ColumnElement[bool] | sa.TextClause] = [inbox.c.connection_id == connection_id, in_state(PARKED)]
    return found if only is None else [*found, inbox.c.id.in_(only)]
