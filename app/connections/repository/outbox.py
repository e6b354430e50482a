"""Named queries over the changes to make in other systems."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

import sqlalchemy as sa

from app.connections.model.outbox import Entry, EntryState
from app.connections.tables import IS_ACTIVE, mirrored, outbox
from app.core.errors import Conflict, DomainError
from app.directory.repository.rows import Rows
from app.storage.fixed import Fixed
from app.storage.tables import Timestamp

_TROUBLED = sa.or_(*(outbox.c.state == sa.literal_column(f"'{state}'") for state in ("REFUSED", "UNCERTAIN")))
_OF = sa.bindparam("of", type_=sa.BigInteger)
_FIRSTS = (
    sa.select(sa.func.min(outbox.c.id))
    .where(outbox.c.connection_id == _OF, IS_ACTIVE)
    .group_by(outbox.c.interaction_id)
)
"""The surrogates of the entries that are first in the connection's sequences."""

_DUE = Fixed(
    sa.select(outbox.c.id)
    .where(outbox.c.id.in_(_FIRSTS), outbox.c.due_at <= sa.bindparam("now", type_=Timestamp))
    .order_by(outbox.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_NEXT_DUE = Fixed(sa.select(sa.func.min(outbox.c.due_at, type_=Timestamp)).where(outbox.c.id.in_(_FIRSTS)))
_OF_INTERACTION = (
    sa.select(*(outbox.c[field.name] for field in fields(Entry)))
    .where(outbox.c.interaction_id == _OF)
    .order_by(outbox.c.id)
)
_ACTIVE, _TROUBLED_IN = Fixed(_OF_INTERACTION.where(IS_ACTIVE)), Fixed(_OF_INTERACTION.where(_TROUBLED))


class OutboxRepository(Rows[Entry]):
    """The entries, in a sequence for each interaction. Lock the interaction before you change an entry that is not in
    flight."""

    model = Entry
    rows = outbox
    readers = {"state": EntryState}  # noqa: RUF012 - declared by the base
    writers = {"state": lambda state: state.value}  # noqa: RUF012

    def taken(self, model: Entry) -> DomainError:
        return Conflict("The outbox has this entry already.")

    def due(self, connection_id: int, now: datetime, most: int) -> Sequence[int]:
        """The surrogates of the entries that are first in their sequence and due, oldest first."""
        return [row[0] for row in self._all(_DUE, {"of": connection_id, "now": now, "most": most})]

    def next_due(self, connection_id: int) -> datetime | None:
        """When the next first entry of a sequence is due, over all sequences of the connection."""
        row = self._one(_NEXT_DUE, {"of": connection_id})
        return None if row is None else row[0]

    def active(self, interaction_id: int) -> Sequence[Entry]:
        """The entries of the interaction that are still worked on, in their order."""
        return [self._model(row) for row in self._all(_ACTIVE, {"of": interaction_id})]

    def troubled(self, interaction_id: int) -> Sequence[Entry]:
        """The entries of the interaction that wait for a human, in their order."""
        return [self._model(row) for row in self._all(_TROUBLED_IN, {"of": interaction_id})]

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
