"""Which interactions came from other systems, and what to read again."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from app.connections.tables import AGAIN, IS_FAILING, MISSING, dirty, forgotten, mirrored
from app.interactions.remote import HINT
from app.storage.constructs import TextList, among_keys, insert_into
from app.storage.fixed import Fixed
from app.storage.repository import Repository
from app.storage.tables import Timestamp

RESTORED, WRITTEN = f"{HINT}restored", f"{HINT}written"
"""The fingerprints of special marks: of what may have gone back to a backup, and of what was written to."""


_OF, _KEY = sa.bindparam("of", type_=sa.BigInteger), sa.bindparam("key", type_=sa.Text)
_KEYS, _NOW = sa.bindparam("keys", type_=TextList()), sa.bindparam("now", type_=Timestamp)
_PLACE = Fixed(
    sa.select(mirrored.c.id, mirrored.c.fingerprint, mirrored.c.synced_at, mirrored.c.written_at).where(
        mirrored.c.connection_id == _OF, mirrored.c.upstream_key == _KEY
    )
)
_KNOWN, _ERASED, _MARKED = (
    sa.select(each.c.upstream_key, each.c.fingerprint).where(
        each.c.connection_id == _OF, among_keys(each.c.upstream_key, _KEYS)
    )
    for each in (mirrored, forgotten, dirty)
)
# A mark that is there comes before what was read before it.
_FINGERPRINTS = tuple(map(Fixed, (_ERASED, _KNOWN, _MARKED.where(dirty.c.fingerprint.is_distinct_from(AGAIN)))))
_FORGOTTEN_AT = Fixed(
    sa.select(forgotten.c.forgotten_at).where(forgotten.c.connection_id == _OF, forgotten.c.upstream_key == _KEY)
)
_DUE = Fixed(
    sa.select(dirty.c.upstream_key, dirty.c.fingerprint, dirty.c.attempts, dirty.c.due_at, dirty.c.quiet)
    .where(dirty.c.connection_id == _OF, dirty.c.due_at <= _NOW)
    .order_by(dirty.c.quiet, dirty.c.due_at)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_NEXT_DUE = Fixed(sa.select(sa.func.min(dirty.c.due_at, type_=Timestamp)).where(dirty.c.connection_id == _OF))
_SAME = (
    dirty.c.connection_id == _OF,
    dirty.c.upstream_key == _KEY,
    dirty.c.due_at == sa.bindparam("seen_due_at", type_=Timestamp),
)
"""The condition that a mark is still the one that was seen."""

_CLEAR, _PUT_OFF = Fixed(sa.delete(dirty).where(*_SAME)), Fixed(sa.update(dirty).where(*_SAME))


@cache
def _note(dialect_name: str, *columns: str) -> Fixed:
    """The statement that stores the place of an interaction, with these of its columns."""
    insert = insert_into(dialect_name, mirrored)
    given = {name: insert.excluded[name] for name in columns}
    return Fixed(insert.on_conflict_do_update(index_elements=[mirrored.c.id], set_=given))


@cache
def _mark(dialect_name: str, *, quiet: bool) -> Fixed:
    """The statement that marks something to be read again; what is not `quiet` makes a quiet mark a loud one."""
    insert = insert_into(dialect_name, dirty)
    given: dict[str, Any] = {name: insert.excluded[name] for name in ("due_at", "attempts", "reason")}
    restored = sa.literal_column(f"'{RESTORED}'", sa.Text)
    given["fingerprint"] = sa.case((dirty.c.fingerprint == restored, restored), else_=insert.excluded.fingerprint)
    if not quiet:
        given["quiet"] = insert.excluded.quiet
    keys = [dirty.c.connection_id, dirty.c.upstream_key]
    return Fixed(insert.on_conflict_do_update(index_elements=keys, set_=given))


@cache
def _mark_new(dialect_name: str) -> Fixed:
    """The statement that marks what is not marked."""
    return Fixed(insert_into(dialect_name, dirty).on_conflict_do_nothing())


class Place(NamedTuple):
    """An interaction's place in another system: our surrogate, its fingerprint there when it was last read, when that
    was applied, and when the latest write to it was confirmed."""

    id: int
    fingerprint: str | None
    synced_at: datetime
    written_at: datetime | None


class Mark(NamedTuple):
    """Something that must be read again, with its fingerprint in the list, how often reading it has failed, since when
    it is due, and whether it can wait for everything else. The due time distinguishes it from the same mark that was
    set again."""

    key: str
    fingerprint: str | None
    attempts: int
    due_at: datetime
    quiet: bool = False


class Failing(NamedTuple):
    """An item that could not be read or applied after many tries, when it is tried again, and why."""

    id: int
    key: str
    due_at: datetime
    attempts: int
    reason: str


class MirroredRepository(Repository):
    """The interactions that belong to connections, by the other system's key."""

    def note(self, interaction_id: int, connection_id: int, key: str, now: datetime, **read: str | None) -> None:
        """Record that the interaction belongs to the connection under this key, and was brought up to date now."""
        values = {"connection_id": connection_id, "upstream_key": key, "synced_at": now, **read}
        _note(self.dialect_name, *values).run(self.connection, {"id": interaction_id, **values})

    def note_written(self, interaction_id: int, now: datetime) -> None:
        """A write to the interaction has ended. Read the result, whatever a list says about it."""
        place = sa.update(mirrored).where(mirrored.c.id == interaction_id).values(written_at=now)
        row = self._one(place.returning(mirrored.c.connection_id, mirrored.c.upstream_key))
        if row is not None:
            self.mark(row[0], row[1], WRITTEN, now, quiet=False)

    def rename(self, interaction_id: int, key: str) -> None:
        """The interaction with the first key now has the second: the other system gave the first key to something
        else."""
        self.connection.execute(sa.update(mirrored).where(mirrored.c.id == interaction_id).values(upstream_key=key))

    def place(self, connection_id: int, key: str) -> Place | None:
        """The interaction with this key of the connection."""
        row = self._one(_PLACE, {"of": connection_id, "key": key})
        return None if row is None else Place(*row)

    def fingerprints(self, connection_id: int, keys: Sequence[str]) -> Mapping[str, str | None]:
        """For each known key, its fingerprint when it was last read, or the one it is marked with."""
        given = {"of": connection_id, "keys": list(keys)}
        return {row[0]: row[1] for query in _FINGERPRINTS for row in self._all(query, given)}

    def list_of_customer(self, customer_interactions: Sequence[int]) -> Sequence[tuple[int, str]]:
        """The connections and keys of those of the interactions that are mirrored."""
        found = sa.select(mirrored.c.connection_id, mirrored.c.upstream_key).where(
            mirrored.c.id.in_(customer_interactions)
        )
        return [(row[0], row[1]) for row in self._all(found)]

    def count(self, connection_id: int) -> int:
        """How many interactions the connection has."""
        found = sa.select(sa.func.count()).select_from(mirrored).where(mirrored.c.connection_id == connection_id)
        row = self._one(found)
        return 0 if row is None else int(row[0])

    def unseen(self, connection_id: int, seen: Collection[str], since: datetime) -> Sequence[str]:
        """The keys that are not among the seen ones, were not read since, and are not yet marked as missing."""
        of = mirrored.c
        marked = sa.exists().where(
            dirty.c.connection_id == of.connection_id,
            dirty.c.upstream_key == of.upstream_key,
            dirty.c.fingerprint == MISSING,
        )
        found = sa.select(of.upstream_key).where(of.connection_id == connection_id, of.synced_at < since, ~marked)
        return [row[0] for row in self._all(found) if row[0] not in seen]

    # ---- what was erased -------------------------------------------------------------------------------------------

    def forget(self, connection_id: int, key: str, now: datetime) -> None:
        """Nothing from before now may come back under this key."""
        insert = insert_into(self.dialect_name, forgotten).values(
            connection_id=connection_id, upstream_key=key, forgotten_at=now
        )
        keys = [forgotten.c.connection_id, forgotten.c.upstream_key]
        self.connection.execute(insert.on_conflict_do_update(index_elements=keys, set_={"forgotten_at": now}))

    def note_forgotten(self, connection_id: int, key: str, fingerprint: str) -> None:
        """Record the present fingerprint of something that was erased here. Nothing of it is taken in."""
        of_it = sa.update(forgotten).where(forgotten.c.connection_id == connection_id, forgotten.c.upstream_key == key)
        self.connection.execute(of_it.values(fingerprint=fingerprint))

    def forgotten_at(self, connection_id: int, key: str) -> datetime | None:
        """When the interaction with this key was erased here; None when none was."""
        row = self._one(_FORGOTTEN_AT, {"of": connection_id, "key": key})
        return None if row is None else row[0]

    # ---- what must be read again -------------------------------------------------------------------------------------

    def mark(self, connection_id: int, key: str, fingerprint: str | None, now: datetime, *, quiet: bool) -> None:
        """Mark it to be read again. An existing mark is renewed, and due at once. An item marked because of a restored
        backup is still read as such."""
        self.mark_all(connection_id, [(key, fingerprint)], now, quiet=quiet)

    def mark_all(
        self, connection_id: int, marked: Sequence[tuple[str, str | None]], now: datetime, *, quiet: bool
    ) -> None:
        """As `mark`, for several keys with their fingerprints."""
        same: dict[str, object] = {"connection_id": connection_id, "quiet": quiet, "due_at": now, "attempts": 0}
        rows = [
            {"upstream_key": key, "fingerprint": fingerprint, "reason": None, **same} for key, fingerprint in marked
        ]
        _mark(self.dialect_name, quiet=quiet).run_many(self.connection, rows)

    def mark_later(self, connection_id: int, key: str, fingerprint: str, due_at: datetime, *, quiet: bool) -> None:
        """Mark it to be read again at that time, unless it is marked already."""
        values = {"fingerprint": fingerprint, "due_at": due_at, "attempts": 0, "quiet": quiet}
        _mark_new(self.dialect_name).run(
            self.connection, {"connection_id": connection_id, "upstream_key": key, **values}
        )

    def mark_restored(self, connection_id: int, now: datetime) -> None:
        """Mark all that the connection has to be read again completely, after everything else."""
        columns = ["connection_id", "upstream_key", "fingerprint", "quiet", "due_at", "attempts"]
        each = sa.select(
            mirrored.c.connection_id,
            mirrored.c.upstream_key,
            sa.literal(RESTORED),
            sa.true(),
            sa.literal(now, dirty.c.due_at.type),
            sa.literal(0),
        ).where(mirrored.c.connection_id == connection_id)
        insert = insert_into(self.dialect_name, dirty).from_select(columns, each)
        again = {"fingerprint": RESTORED, "due_at": now, "attempts": 0}
        keys = [dirty.c.connection_id, dirty.c.upstream_key]
        self.connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=again))

    def due_marks(self, connection_id: int, now: datetime, most: int) -> Sequence[Mark]:
        """What is due to be read; history comes last."""
        return [Mark(*row) for row in self._all(_DUE, {"of": connection_id, "now": now, "most": most})]

    def next_mark_due(self, connection_id: int) -> datetime | None:
        """When the first mark is due."""
        row = self._one(_NEXT_DUE, {"of": connection_id})
        return None if row is None else row[0]

    def count_failing(self, connection_id: int) -> int:
        """How many items could not be read or applied after many tries."""
        found = sa.select(sa.func.count()).select_from(dirty)
        row = self._one(found.where(dirty.c.connection_id == connection_id, IS_FAILING))
        return 0 if row is None else int(row[0])

    def failing(self, connection_id: int, most: int) -> Sequence[Failing]:
        """The items that could not be read or applied after many tries, oldest first."""
        columns = (dirty.c.id, dirty.c.upstream_key, dirty.c.due_at, dirty.c.attempts, dirty.c.reason)
        found = sa.select(*columns).where(dirty.c.connection_id == connection_id, IS_FAILING)
        return [Failing(*row) for row in self._all(found.order_by(dirty.c.id).limit(most))]

    def retry_failing(self, connection_id: int, now: datetime, only: Collection[int] | None) -> int:
        """Read the failing items again at once, all or only these. Returns how many."""
        again = sa.update(dirty).where(dirty.c.connection_id == connection_id, IS_FAILING)
        if only is not None:
            again = again.where(dirty.c.id.in_(only))
        return self.connection.execute(again.values(attempts=0, due_at=now, reason=None)).rowcount

    def count_history(self, connection_id: int, tries: int) -> int:
        """How much of what was there before is still to be read, without what was tried so often in vain."""
        found = sa.select(sa.func.count()).select_from(dirty).where(dirty.c.connection_id == connection_id)
        row = self._one(
            found.where(
                dirty.c.quiet,
                dirty.c.attempts < tries,
                *(dirty.c.fingerprint.is_distinct_from(each) for each in (MISSING, AGAIN)),
            )
        )
        return 0 if row is None else int(row[0])

    def clear(self, connection_id: int, mark: Mark) -> None:
        """It was read. A mark that was renewed meanwhile stays."""
        _CLEAR.run(self.connection, _seen(connection_id, mark))

    def put_off(self, connection_id: int, mark: Mark, attempts: int, due_at: datetime, reason: str) -> None:
        """It could not be read or applied. It is read again later, unless the mark was renewed meanwhile."""
        later = {"attempts": attempts, "due_at": due_at, "reason": reason}
        _PUT_OFF.run(self.connection, {**_seen(connection_id, mark), **later})

    def drop_marks(self, connection_id: int) -> None:
        """Forget all marks of the connection."""
        self.connection.execute(sa.delete(dirty).where(dirty.c.connection_id == connection_id))


def _seen(connection_id: int, mark: Mark) -> dict[str, Any]:
    return {"of": connection_id, "key": mark.key, "seen_due_at": mark.due_at}
