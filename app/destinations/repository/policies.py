"""Policies, and how far the log has been read for them."""

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from app.core.errors import AlreadyExists
from app.destinations.model import Policy
from app.destinations.tables import alert, alerting, policy
from app.directory.repository.rows import Rows
from app.storage.constructs import insert_into
from app.storage.query import Query

ANY_POLICY = Query("SELECT 1 WHERE EXISTS (SELECT 1 FROM policy) OR EXISTS (SELECT 1 FROM alert)")
"""One row when there is a policy or an alert, and the log has to be read."""

_ONE = 1


class Reading(NamedTuple):
    """How far the log has been read. `sweep_after` is the last interaction that a running sweep has looked at."""

    cursor: str
    sweep_after: int | None


class PolicyRepository(Rows[Policy]):
    """Named queries over policies."""

    model = Policy
    rows = policy
    readers = {  # noqa: RUF012 - declared by the base
        "kinds": tuple,
        "levels": tuple,
        "reasons": tuple,
        "team_ids": tuple,
        "destination_ids": tuple,
    }

    def taken(self, model: Policy) -> AlreadyExists:
        return AlreadyExists(f"There already is a policy with the name {model.name}.", path=("name",))

    def look_at_alerts(self, of: int, now: datetime) -> None:
        """Make all alerts of a policy due now."""
        self.connection.execute(sa.update(alert).where(alert.c.policy_id == of).values(due_at=now))

    def reading(self) -> Reading | None:
        """How far the log has been read, locked; None before the first time."""
        row = self._one(sa.select(alerting.c.cursor, alerting.c.sweep_after).with_for_update())
        return None if row is None else Reading(row.cursor, row.sweep_after)

    def note_reading(self, found: Reading) -> None:
        """Store how far the log has been read."""
        self._store(found, {"cursor": found.cursor, "sweep_after": found.sweep_after})

    def begin_sweep(self, cursor: str) -> None:
        """Start a sweep over all interactions that need a human or have an alert.

        A first reading of the log starts at the cursor."""
        self._store(Reading(cursor, 0), {"sweep_after": 0})

    def _store(self, found: Reading, changed: dict[str, object]) -> None:
        insert = insert_into(self.dialect_name, alerting)
        statement = insert.values(id=_ONE, **found._asdict())
        self.connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed))
