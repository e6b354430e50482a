"""Rows that remain to be erased, and the log of erased customers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from app.interactions.erased import CUSTOMER, FILES, INTERACTION, SEARCH
from app.interactions.history import without_words
from app.interactions.tables import deleted_message, erasing, erasure, message, message_error, note
from app.storage.constructs import insert_into
from app.storage.event_log import event_log
from app.storage.query import Query
from app.storage.repository import Repository

ANY_ERASING = Query("SELECT 1 FROM erasing LIMIT 1")
"""One row of the driver's when there is something to erase."""

_PAGES = 64
"""Pages of the search index that one unit rewrites on SQLite."""

_THIS = sa.and_(erasing.c.what == sa.bindparam("of"), erasing.c.number == sa.bindparam("key"))
_ROWS = (erasing.c.what, erasing.c.number, erasing.c.place)
_NEXT = (
    sa.select(*_ROWS)
    .where(erasing.c.what.in_((CUSTOMER, INTERACTION)))
    .order_by(erasing.c.what, erasing.c.number)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_ANY_ROWS = sa.select(erasing.c.what).where(erasing.c.what.in_((CUSTOMER, INTERACTION))).limit(1)
_LAST = (
    sa.select(*_ROWS)
    .where(erasing.c.what.in_((SEARCH, FILES)))
    .order_by(erasing.c.what.desc())
    .limit(1)
    .with_for_update(skip_locked=True)
)
_MOVE = sa.update(erasing).where(_THIS).values(place=sa.bindparam("to"))
_END = sa.delete(erasing).where(_THIS)
_MESSAGES = (
    sa.select(message.c.id)
    .where(message.c.interaction_id == sa.bindparam("key"))
    .order_by(message.c.sent_at, message.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_NOTES = (
    sa.select(note.c.id)
    .where(note.c.interaction_id == sa.bindparam("key"))
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_KEYS = (
    sa.select(deleted_message.c.channel_key, deleted_message.c.key_digest)
    .where(deleted_message.c.interaction_id == sa.bindparam("key"))
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_EVENT = (event_log.c.lane, event_log.c.position, event_log.c.topic, event_log.c.client_mutation_id, event_log.c.data)
_OF = {
    INTERACTION: event_log.c.interaction_id == sa.bindparam("key"),
    # Spelled as the partial index is.
    CUSTOMER: sa.and_(event_log.c.customer_id == sa.bindparam("key"), sa.text("interaction_id IS NULL")),
}
# All events of one interaction are in one lane, and so are all of one customer without an interaction.
_EVENTS = {
    what: sa.select(*_EVENT)
    .where(condition, event_log.c.position > sa.bindparam("after"))
    .order_by(event_log.c.position)
    .limit(sa.bindparam("most", type_=sa.Integer))
    for what, condition in _OF.items()
}
_CLEAN = (
    sa.update(event_log)
    .where(event_log.c.lane == sa.bindparam("of"), event_log.c.position == sa.bindparam("key"))
    .values(client_mutation_id=None, data=sa.bindparam("words"))
)
_MERGE = "INSERT INTO message_search (message_search, rank) VALUES ('merge', ?)"
_KEY = [erasing.c.what, erasing.c.number]
_LOGGED = sa.select(*erasure.columns).order_by(erasure.c.erased_at, erasure.c.customer_id)


def _without_words(topic: str, data: str) -> str:
    return orjson.dumps(without_words(topic, orjson.loads(data))).decode()


class Part(NamedTuple):
    """One row of `erasing`: what is erased, and how far that has come."""

    what: str
    number: int
    place: int


class Erasure(NamedTuple):
    """A customer that was erased, by its surrogate and the time it was stored; `finished_at` once nothing is left."""

    customer_id: int
    customer_created_at: datetime
    erased_at: datetime
    finished_at: datetime | None = None


class ErasingRepository(Repository):
    """The parts that are left to erase. Each method that erases touches at most `most` rows, and says how many."""

    def begin_interaction(self, interaction_id: int) -> None:
        """The interaction's row is gone: erase its messages and notes, and the words in its events."""
        values = {"what": INTERACTION, "number": interaction_id, "place": 0}
        self.connection.execute(sa.insert(erasing), values)

    def begin_customer(self, done: Erasure) -> None:
        """The customer's row is gone: erase the words in its events, then what the files still hold, and log it."""
        self.connection.execute(sa.insert(erasing), {"what": CUSTOMER, "number": done.customer_id, "place": 0})
        if self.dialect_name == "sqlite":
            again = insert_into(self.dialect_name, erasing).values(what=SEARCH, number=0, place=0)
            self.connection.execute(again.on_conflict_do_update(index_elements=_KEY, set_={"place": 0}))
        # Counted up, so that who has cleaned the files before this does not take it for done.
        last = insert_into(self.dialect_name, erasing).values(what=FILES, number=0, place=0)
        self.connection.execute(last.on_conflict_do_update(index_elements=_KEY, set_={"place": erasing.c.place + 1}))
        self.log(done)

    def log(self, done: Erasure) -> None:
        """Remember the erasure; one that is known keeps its first time."""
        self.connection.execute(insert_into(self.dialect_name, erasure).values(done._asdict()).on_conflict_do_nothing())

    def list_logged(self) -> Sequence[Erasure]:
        """Every erasure, the oldest first."""
        return [Erasure._make(row) for row in self._all(_LOGGED)]

    def claim(self) -> Part | None:
        """Lock what is to be erased next; None when that is nothing, or in the hands of other units.

        The search index and the files come last, when all rows are erased."""
        row = self._one(_NEXT)
        if row is None and self._one(_ANY_ROWS) is None:
            row = self._one(_LAST)
        return None if row is None else Part._make(row)

    def move(self, part: Part, place: int) -> None:
        """Save how far the part has been erased."""
        self.connection.execute(_MOVE, {"of": part.what, "key": part.number, "to": place})

    def end(self, part: Part) -> bool:
        """Remove the finished part; False when it was started anew meanwhile."""
        mine = _END.where(erasing.c.place == part.place)
        return bool(self.connection.execute(mine, {"of": part.what, "key": part.number}).rowcount)

    def finish(self, now: datetime) -> None:
        """Note that nothing is left of any erased customer."""
        self.connection.execute(sa.update(erasure).where(erasure.c.finished_at.is_(None)).values(finished_at=now))

    def erase_messages(self, interaction_id: int, most: int) -> int:
        """Erase messages with their errors, and take out references to them first."""
        found = self.connection.execute(_MESSAGES, {"key": interaction_id, "most": most}).scalars().all()
        if not found:
            return 0
        referring = sa.select(message.c.id).where(message.c.reference_id.in_(found)).limit(most)
        loosened = sa.update(message).where(message.c.id.in_(referring.scalar_subquery())).values(reference_id=None)
        done = self.connection.execute(loosened).rowcount
        errors = sa.select(message_error.c.id).where(message_error.c.message_id.in_(found)).limit(most - done)
        done += self.connection.execute(
            sa.delete(message_error).where(message_error.c.id.in_(errors.scalar_subquery()))
        ).rowcount
        if done < most:
            gone = found[: most - done]
            done += self.connection.execute(sa.delete(message).where(message.c.id.in_(gone))).rowcount
        return done

    def erase_keys(self, interaction_id: int, most: int) -> int:
        """Delete the keys of messages that were deleted before their interaction."""
        found = self.connection.execute(_KEYS, {"key": interaction_id, "most": most}).all()
        if found:
            keys = sa.tuple_(deleted_message.c.channel_key, deleted_message.c.key_digest)
            self.connection.execute(sa.delete(deleted_message).where(keys.in_([tuple(row) for row in found])))
        return len(found)

    def erase_notes(self, interaction_id: int, most: int) -> int:
        """Erase notes."""
        found = self.connection.execute(_NOTES, {"key": interaction_id, "most": most}).scalars().all()
        return self.connection.execute(sa.delete(note).where(note.c.id.in_(found))).rowcount if found else 0

    def clean_events(self, part: Part, most: int) -> int:
        """Remove free text from the events after the part's position, and move it on."""
        rows = self._all(_EVENTS[part.what], {"key": part.number, "after": part.place, "most": most})
        if rows:
            cleaned = [
                {"of": row.lane, "key": row.position, "words": _without_words(row.topic, row.data)} for row in rows
            ]
            self.connection.execute(_CLEAN, cleaned)
            self.move(part, rows[-1].position)
        return len(rows)

    def rewrite_search(self, part: Part) -> bool:
        """Rewrite a piece of SQLite's search index, which keeps deleted words until then; whether more is left."""
        driver: Any = self.connection.connection.driver_connection
        before = driver.total_changes
        # A negative number begins with all of the index, a positive one goes on.
        pages = _PAGES if part.place else -_PAGES
        self.connection.exec_driver_sql(_MERGE, (pages,))
        # FTS5 counts the command itself as one change.
        more = driver.total_changes - before >= 2
        self.move(part, 1)
        return bool(more)
