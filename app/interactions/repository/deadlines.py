"""Which interactions time alone has something to do to, and when."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from app.interactions.tables import interaction
from app.storage.query import Query
from app.storage.repository import Repository
from app.storage.tables import Timestamp

NEXT_DUE = Query("SELECT due_at FROM interaction WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1")
"""One row of the driver's: when the scheduler has to look next; no row when it need not."""

_KEY: sa.BindParameter[int] = sa.bindparam("key")
_MOST = sa.bindparam("most", type_=sa.Integer)
_CLAIM = (
    sa.select(interaction.c.id, interaction.c.kind, interaction.c.due_failures)
    .where(interaction.c.due_at <= sa.bindparam("until", type_=Timestamp))
    .order_by(interaction.c.due_at, interaction.c.id)
    .limit(_MOST)
    # Whoever holds one of them either does what is due as well, or has it looked at again.
    .with_for_update(skip_locked=True)
)
_AFTER = (
    sa.select(interaction.c.id, interaction.c.kind, interaction.c.due_failures)
    .where(interaction.c.id > sa.bindparam("after", type_=sa.BigInteger))
    .order_by(interaction.c.id)
    .limit(_MOST)
)
_ARM = sa.update(interaction).where(interaction.c.id == _KEY)
_COUNT = sa.select(sa.func.count()).select_from(interaction)


class Due(NamedTuple):
    """An interaction to be looked at, and how often in a row that has failed."""

    id: int
    kind: str
    failures: int


class DeadlineRepository(Repository):
    """`due_at` of the common table, and how often what was due then has failed."""

    def claim(self, until: datetime, most: int) -> Sequence[Due]:
        """Lock at most `most` interactions that are due by `until`, the longest due first.

        On PostgreSQL those that another unit has in hand are passed over."""
        return [Due(row.id, row.kind, row.due_failures) for row in self._all(_CLAIM, {"until": until, "most": most})]

    def list_after(self, after: int, most: int) -> Sequence[Due]:
        """At most `most` interactions in the order of their ids, onwards from `after`."""
        return [Due(row.id, row.kind, row.due_failures) for row in self._all(_AFTER, {"after": after, "most": most})]

    def count(self) -> int:
        """How many interactions there are."""
        return int(self.connection.execute(_COUNT).scalar_one())

    def arm(self, interaction_id: int, due_at: datetime | None, failures: int = 0) -> None:
        """Set the time at which the interaction is looked at next; None for never. This is not an edit of the
        interaction."""
        self.connection.execute(_ARM, {"key": interaction_id, "due_at": due_at, "due_failures": failures})
