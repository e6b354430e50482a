"""Named queries over the changes to make in other systems."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from app.connections.model.outbox import Entry, EntryState
from app.connections.tables import IS_ACTIVE, mirrored, outbox
from app.core.errors import Conflict, DomainError
from app.directory.repository.rows import Rows

_TROUBLED = outbox.c.state.in_([EntryState.REFUSED.value, EntryState.UNCERTAIN.value])


class OutboxRepository(Rows[Entry]):
    """The entries, in a sequence for each interaction. Lock the interaction before you change an entry that is not in
    flight."""

    model = Entry
    rows = outbox
    readers = {"state": EntryState}  # noqa: RUF012 - declared by the base
    writers = {"state": lambda state: state.value}  # noqa: RUF012

    def taken(self, model: Entry) -> DomainError:
        return Conflict("The entry is there already.")

    def due(self, connection_id: int, now: datetime, most: int) -> Sequence[int]:
        """The surrogates of the entries that are first in their sequence and due, oldest first."""
        found = sa.select(outbox.c.id).where(outbox.c.id.in_(_firsts(connection_id)), outbox.c.due_at <= now)
        return [row[0] for row in self._all(found.order_by(outbox.c.id).limit(most))]

    def next_due(self, connection_id: int) -> datetime | None:
        """When the next first entry of a sequence is due, over all sequences of the connection."""
        row = self._one(sa.select(sa.func.min(outbox.c.due_at)).where(outbox.c.id.in_(_firsts(connection_id))))
        return None if row is None else row[0]

    def active(self, interaction_id: int) -> Sequence[Entry]:
        """The entries of the interaction that are still worked on, in their order."""
        found = sa.select(*self._columns()).where(outbox.c.interaction_id == interaction_id, IS_ACTIVE)
        return [self._model(row) for row in self._all(found.order_by(outbox.c.id))]

    def troubled(self, interaction_id: int) -> Sequence[Entry]:
        """The entries of the interaction that wait for a human, in their order."""
        found = sa.select(*self._columns()).where(outbox.c.interaction_id == interaction_id, _TROUBLED)
        return [self._model(row) for row in self._all(found.order_by(outbox.c.id))]

    def troubled_of(self, connection_id: int, most: int) -> Sequence[Entry]:
        """The entries of the connection that wait for a human, oldest first."""
        found = sa.select(*self._columns()).where(outbox.c.connection_id == connection_id, _TROUBLED)
        return [self._model(row) for row in self._all(found.order_by(outbox.c.id).limit(most))]

    def replace_waiting(self, number: int) -> bool:
        """Delete an entry that waits. Returns False when it is in flight."""
        gone = sa.delete(outbox).where(outbox.c.id == number, outbox.c.state == EntryState.WAITING.value)
        return bool(self.connection.execute(gone).rowcount)

    def drop_of(self, connection_id: int) -> None:
        """Delete all entries of the connection."""
        self.connection.execute(sa.delete(outbox).where(outbox.c.connection_id == connection_id))

    def key_of(self, interaction_id: int) -> tuple[int, str] | None:
        """The connection that the interaction belongs to, and its key there."""
        found = sa.select(mirrored.c.connection_id, mirrored.c.upstream_key).where(mirrored.c.id == interaction_id)
        row = self._one(found)
        return None if row is None else (row[0], row[1])


def _firsts(connection_id: int) -> sa.Select[tuple[int]]:
    """The surrogates of the entries that are first in the connection's sequences."""
    mine = sa.select(sa.func.min(outbox.c.id)).where(outbox.c.connection_id == connection_id, IS_ACTIVE)
    return mine.group_by(outbox.c.interaction_id)
