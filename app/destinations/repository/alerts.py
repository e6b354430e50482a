"""Alerts, and the facts of interactions that policies look at."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.destinations.model import Alert, AlertState, Standing
from app.destinations.tables import alert
from app.interactions.model import Level
from app.interactions.tables import interaction
from app.storage.event_log import event_log
from app.storage.query import Query
from app.storage.repository import Repository

NEXT_ALERT = Query("SELECT due_at FROM alert WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1")
"""One row of the driver: when the next alert is due; no row when none is."""

_STANDING = (
    interaction.c.id,
    interaction.c.kind,
    interaction.c.attention_level,
    interaction.c.attention_reasons,
    interaction.c.assignee_id,
    interaction.c.team_id,
    interaction.c.acknowledged_at,
)


class AlertRepository(Repository):
    """Named queries over alerts."""

    def list_of(self, interactions: Iterable[int]) -> Sequence[Alert]:
        """The alerts about these interactions, locked."""
        mine = sa.select(alert).where(alert.c.interaction_id.in_(list(interactions)))
        return [_model(row) for row in self._all(mine.order_by(alert.c.id).with_for_update())]

    def claim(self, until: datetime, most: int) -> Sequence[Alert]:
        """Lock at most `most` alerts that are due by `until`, longest due first, skipping locked ones."""
        due = sa.select(alert).where(alert.c.due_at <= until).order_by(alert.c.due_at, alert.c.id).limit(most)
        return [_model(row) for row in self._all(due.with_for_update(skip_locked=True))]

    def standing(self, interactions: Iterable[int]) -> dict[int, Standing]:
        """The facts of these interactions by their surrogates; deleted ones are left out."""
        found = sa.select(*_STANDING).where(interaction.c.id.in_(list(interactions)))
        return {row.id: _standing(row) for row in self._all(found)}

    def latest_holder(self, interaction_id: int) -> int | None:
        """Who an interaction was assigned to when the log told of it last, also if it is deleted by now."""
        found = sa.select(event_log.c.assignee_id).where(event_log.c.interaction_id == interaction_id)
        row = self._one(found.order_by(event_log.c.position.desc()).limit(1))
        return None if row is None else row.assignee_id

    def list_concerned(self, after: int, most: int) -> Sequence[int]:
        """At most `most` interactions that need a human or have an alert, by ascending id above `after`."""
        waiting = (interaction.c.attention_level.is_not(None), interaction.c.id > after)
        found = sa.select(interaction.c.id).where(*waiting).order_by(interaction.c.id).limit(most)
        told = sa.select(alert.c.interaction_id).distinct().where(alert.c.interaction_id > after)
        told = told.order_by(alert.c.interaction_id).limit(most)
        return sorted({row[0] for each in (found, told) for row in self._all(each)})[:most]

    def told_to(self, interaction_id: int) -> frozenset[int]:
        """The destinations that alerts about this interaction were told to."""
        found = sa.select(alert.c.told_to).where(alert.c.interaction_id == interaction_id)
        return frozenset(number for row in self._all(found) for number in row.told_to)

    def keep(self, before: Alert | None, after: Alert | None) -> None:
        """Insert, update or delete an alert; None stands for no alert."""
        if before == after:
            return
        if before is None:
            assert after is not None
            self.connection.execute(sa.insert(alert).values(_values(after)))
        elif after is None:
            self.connection.execute(sa.delete(alert).where(alert.c.id == before.id))
        else:
            self.connection.execute(sa.update(alert).where(alert.c.id == before.id).values(_values(after)))


def _values(found: Alert) -> dict[str, Any]:
    values = asdict(found)
    del values["id"]
    return values | {"told_to": list(found.told_to)}


def _model(row: Any) -> Alert:
    values = dict(row._mapping)
    return Alert(**{**values, "state": AlertState(row.state), "told_to": tuple(row.told_to)})


def _standing(row: Any) -> Standing:
    level = row.attention_level
    return Standing(
        interaction_id=row.id,
        kind=row.kind,
        level=level,
        level_name=None if level is None else Level(level).name,
        reasons=tuple(row.attention_reasons),
        assignee_id=row.assignee_id,
        acknowledged=row.acknowledged_at is not None,
        team_id=row.team_id,
    )
