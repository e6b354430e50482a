"""Destinations, and the cursors of the event log that they start from."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from app.core.errors import AlreadyExists
from app.destinations.model import Destination, DestinationReason, DestinationState, DestinationType
from app.destinations.tables import destination
from app.directory.repository.rows import Rows
from app.storage.event_log import Cursor, heads_cursor, heads_with_era, times_at
from app.storage.query import Query, Row
from app.storage.tables import moment_of


class DestinationRepository(Rows[Destination]):
    """Named queries over destinations."""

    model = Destination
    rows = destination
    readers = {  # noqa: RUF012 - declared by the base
        "type": DestinationType,
        "state": DestinationState,
        "reason": DestinationReason,
        "permissions": tuple,
    }

    def taken(self, model: Destination) -> AlreadyExists:
        return AlreadyExists(f"There already is a destination with the name {model.name}.", path=("name",))

    def count(self) -> int:
        """The number of destinations."""
        return int(self.connection.execute(sa.select(sa.func.count()).select_from(destination)).scalar_one())

    def note_progress(
        self, number: int, cursor: str, failing_since: datetime | None, delivered_at: datetime | None
    ) -> None:
        """Store the cursor and the success of deliveries. This is no edit: the version stays."""
        values = {"cursor": cursor, "failing_since": failing_since, "delivered_at": delivered_at}
        self.connection.execute(sa.update(destination).where(destination.c.id == number).values(values))

    def take(self, numbers: Iterable[int], holder: str, ended: Collection[str]) -> Sequence[int]:
        """Give the holder those of the destinations that nobody has, or somebody whose life has ended. Returns them."""
        free = sa.or_(destination.c.holder.is_(None), destination.c.holder.in_(list(ended)))
        found = sa.select(destination.c.id).where(destination.c.id.in_(list(numbers)), free)
        # In one order, so that two processes that take the same ones do not wait for each other.
        taken = self.connection.execute(found.order_by(destination.c.id).with_for_update()).scalars().all()
        if taken:
            self.connection.execute(sa.update(destination).where(destination.c.id.in_(taken)).values(holder=holder))
        return taken

    def held(self, number: int, holder: str) -> Destination | None:
        """The destination, locked, if the holder has it. Nobody else takes it before the unit ends."""
        return self._find_by(for_update=True, id=number, holder=holder)

    def move(self, number: int, cursor: str) -> None:
        """Store another cursor of the destination."""
        self.connection.execute(sa.update(destination).where(destination.c.id == number).values(cursor=cursor))

    def move_all(self, numbers: Iterable[int], run: int, cursor: str, holder: str) -> None:
        """Store one cursor of those of the destinations that the holder has and that are in this run."""
        mine = (destination.c.run == run, destination.c.holder == holder)
        moved = sa.update(destination).where(destination.c.id.in_(sorted(numbers)), *mine)
        self.connection.execute(moved.values(cursor=cursor))

    def head(self) -> Cursor:
        """The cursor of the end of the log."""
        return heads_cursor(self.lanes())

    def cursor_at(self, moment: datetime) -> Cursor:
        """The cursor before the first event at or after this time in every lane."""
        lanes = self.lanes()
        # Binary search in each lane, because times grow with positions, apart from small differences.
        low = [row[2] for row in lanes]
        high = [row[1] + 1 for row in lanes]
        while any(first < last for first, last in zip(low, high, strict=True)):
            asked = [
                (number, (first + last) // 2)
                for number, (first, last) in enumerate(zip(low, high, strict=True))
                if first < last
            ]
            at = self._times(asked)
            for number, position in asked:
                found = at.get((number, position))
                if found is not None and found < moment:
                    low[number] = position + 1
                else:
                    high[number] = position
        return Cursor(tuple(first - 1 for first in low))

    def lanes(self) -> Sequence[Row]:
        """The number, the head and the oldest position of every lane, and on PostgreSQL the newest era's."""
        return self._driven(heads_with_era(self.dialect_name))

    def _times(self, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], datetime]:
        rows = self._driven(times_at(self.dialect_name, places))
        return {(lane, position): moment_of(at) for lane, position, at in rows}

    def _driven(self, query: Query) -> Sequence[Row]:
        return self.connection.exec_driver_sql(query.sql, tuple(query.args)).all()


ACTIVE = Query(f"SELECT id, version, holder FROM destination WHERE state = '{DestinationState.ACTIVE}' ORDER BY id")
"""Rows (surrogate, version, holder) of all active destinations."""
