"""Named queries over connections."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from app.connections.model import PREFIX, ConnectedSystem
from app.connections.tables import connected_system
from app.core.errors import AlreadyExists
from app.core.ids import parse_id
from app.directory.repository.rows import Rows

_KEPT = connected_system.c.deleted_at.is_(None)


class ConnectedSystemRepository(Rows[ConnectedSystem]):
    """The connections. Each has a unique name among those that are not deleted."""

    model = ConnectedSystem
    rows = connected_system

    def taken(self, model: ConnectedSystem) -> AlreadyExists:
        return AlreadyExists("Another connection has this name.", path=("name",))

    def kept(self, number: int, *, for_update: bool = False) -> ConnectedSystem | None:
        """The connection with this surrogate, unless it is deleted; locked if it is going to change."""
        return self._find(connected_system.c.id == number, _KEPT, for_update=for_update)

    def all_kept(self) -> Sequence[ConnectedSystem]:
        """The connections that are not deleted, oldest first."""
        statement = sa.select(*self._columns()).where(_KEPT).order_by(connected_system.c.id)
        return [self._model(row) for row in self._all(statement)]

    def named(self, given: str) -> ConnectedSystem | None:
        """The connection with this name or, if none has it, with this global id. None when it is deleted."""
        found = self._find(connected_system.c.name == given, _KEPT)
        ref = parse_id(given)
        return self.kept(ref.number) if found is None and ref is not None and ref.prefix == PREFIX else found

    def count(self) -> int:
        """How many connections are not deleted."""
        row = self._one(sa.select(sa.func.count()).select_from(connected_system).where(_KEPT))
        return 0 if row is None else int(row[0])

    def note_delivery(self, number: int, at: datetime) -> None:
        """Record an accepted delivery. This is not an edit, so the version stays."""
        self._note(number, last_delivery_at=at, fault=None)

    def note_refusal(self, number: int, at: datetime) -> None:
        """Record a refused delivery with a wrong signature."""
        self._note(number, last_refused_at=at, refused_count=connected_system.c.refused_count + 1)

    def note_fault(self, number: int, fault: str | None) -> None:
        """Record why deliveries cannot be accepted; None means that they can."""
        self._note(number, fault=fault)

    def note_reached(self, number: int, fault: str | None) -> None:
        """Record that the other system was reached, or why it was not."""
        self._note(number, reach_fault=fault)

    def note_polled(self, number: int, at: datetime, cursor: str | None) -> None:
        """The changes of the other system were read. The next poll continues from the cursor."""
        self._note(number, polled_at=at, poll_cursor=cursor)

    def note_missing(self, number: int, missing: int | None) -> None:
        """Record how much a walk missed, if that is too much to be deleted here; None if it is not. The permission to
        delete is used up."""
        allowed = {"missing_allowed": None} if missing is None else {}
        self._note(number, missing=missing, **allowed)

    def note_cannot(self, number: int, cannot: str) -> None:
        """Record that these commands cannot be done there."""
        self._note(number, cannot=cannot)

    def note_walk(
        self,
        number: int,
        *,
        began_at: datetime | None = None,
        page: int | None = None,
        pages: int | None = None,
        after: str | None = None,
        walked_at: datetime | None = None,
    ) -> None:
        """Record how far the complete walk has come, or when it ended. Without either, it starts again."""
        values: dict[str, object] = {
            "walk_began_at": began_at,
            "walk_page": page,
            "walk_pages": pages,
            "walk_after": after,
        }
        self._note(number, **values, **({} if walked_at is None else {"walked_at": walked_at}))

    def walk_anew(self, number: int) -> None:
        """Start the complete walk again, as if there had been none."""
        self.note_walk(number)
        self._note(number, walked_at=None)

    def reached(self) -> Sequence[ConnectedSystem]:
        """The connections that are not paused and whose systems are read and written."""
        of = connected_system.c
        found = sa.select(*self._columns()).where(_KEPT, of.address.is_not(None), sa.not_(of.paused))
        return [self._model(row) for row in self._all(found.order_by(of.id))]

    def _note(self, number: int, **values: object) -> None:
        self.connection.execute(sa.update(connected_system).where(connected_system.c.id == number).values(values))
