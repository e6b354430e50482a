"""Appends events as a unit's last step."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from app.core.events import EventRecord, LoggedEvent
from app.storage.event_log.tables import event_log, lane
from app.storage.query import Row
from app.storage.tables import Timestamp, moment_of

Entry = tuple[object, ...]
"""One event ready for the driver: `at` and the columns after it, in the table's order."""

_ENTRY_COLUMNS = [column.name for column in event_log.columns][2:]
_ARRAYS = {"Timestamp": "timestamptz[]", "Text": "text[]", "JsonText": "text[]"}

TAKE_POSITIONS = "UPDATE lane SET head = head + ? WHERE id = 0 RETURNING head"
INSERT_ENTRIES = (
    f"INSERT INTO event_log (lane, position, {', '.join(_ENTRY_COLUMNS)}) "
    f"VALUES (0, ?, {', '.join('?' * len(_ENTRY_COLUMNS))})"
)


TAKE_IN_LANE = "UPDATE lane SET head = head + $2::bigint WHERE id = $1::bigint"
TAKEN = "RETURNING head, era"
"""What the entries need of the lane, once it is locked: their last position, and the era that says the partition."""


def _insert_in_lane(*, one: bool) -> str:
    given, selected = [], []
    for number, name in enumerate(_ENTRY_COLUMNS, start=3):
        column_type = type(event_log.c[name].type).__name__
        array = _ARRAYS.get(column_type, "bigint[]")
        given.append(f"${number}::{array.removesuffix('[]') if one else array}")
        value = given[-1] if one else f"entry.{name}"
        selected.append(f"{value}::json" if column_type == "JsonText" else value)
    columns = ", ".join(_ENTRY_COLUMNS)
    insert = f"INSERT INTO event_log (lane, era, position, {columns}) SELECT $1, taken.era, taken.head"
    if one:
        return f"{insert}, {', '.join(selected)} FROM taken RETURNING position"
    return (
        f"{insert} - $2 + entry.place, {', '.join(selected)} "
        f"FROM taken, unnest({', '.join(given)}) WITH ORDINALITY AS entry({columns}, place) RETURNING position"
    )


INSERT_ONE_IN_LANE, INSERT_IN_LANE = _insert_in_lane(one=True), _insert_in_lane(one=False)
"""Inserts the events whose last positions are in `taken`, as TAKE_IN_LANE returns them, and returns the positions of
all. Both have the same parameters; those of the second are arrays."""
APPEND_TO_LANE = f"WITH taken AS ({TAKE_IN_LANE} {TAKEN}) {INSERT_IN_LANE}"


_TIMESTAMP = Timestamp()


def encode(events: Sequence[EventRecord], at: datetime, dialect: sa.Dialect) -> list[tuple[EventRecord, Entry]]:
    """Events as driver values. Raises TypeError when `data` is not JSON, so that only its own unit fails."""
    moment = _TIMESTAMP.bind_processor(dialect)(at)
    return [
        (
            event,
            (
                moment,
                event.topic,
                event.kind,
                event.interaction_id,
                event.customer_id,
                event.assignee_id,
                event.actor_id,
                event.client_mutation_id,
                event.version,
                event.level_before,
                event.level_after,
                orjson.dumps(dict(event.data)).decode(),
            ),
        )
        for event in events
    ]


def lane_of(event: EventRecord, lanes: int) -> int:
    """The lane an event is written to: always the same for one interaction, or for the customer or user that an event
    is about; for all others that of their actor."""
    for key in (event.interaction_id, event.customer_id, event.assignee_id, event.actor_id):
        if key is not None:
            return key % lanes
    return 0


class Appended(NamedTuple):
    """Events that were written to one lane, from the position `first` on."""

    lane: int
    first: int
    entries: Sequence[tuple[EventRecord, Entry]]

    def logged(self) -> Sequence[LoggedEvent]:
        """The events as a reader of the log gets them."""
        lane = self.lane
        return [
            LoggedEvent(lane, position, moment_of(entry[0]), event)
            for position, (event, entry) in enumerate(self.entries, self.first)
        ]


Committed = Callable[[Sequence[Appended]], None]
"""Called after a commit with what it has added to the log."""


def append_sqlite(cursor: Any, entries: Sequence[tuple[EventRecord, Entry]]) -> Appended:
    """Write to the only lane with two statements, on the driver's own cursor."""
    count = len(entries)
    (head,) = cursor.execute(TAKE_POSITIONS, (count,)).fetchone()
    first = head - count + 1
    cursor.executemany(INSERT_ENTRIES, [(first + place, *entry) for place, (_, entry) in enumerate(entries)])
    return Appended(0, first, entries)


class LaneInsert(NamedTuple):
    """The statement that inserts entries of one lane on PostgreSQL, and its arguments."""

    lane: int
    entries: Sequence[tuple[EventRecord, Entry]]
    sql: str
    arguments: Sequence[Any]

    def appended(self, rows: Sequence[Row]) -> Appended:
        """What it has appended, by the rows that it returned."""
        return Appended(self.lane, min(position for (position,) in rows), self.entries)


def in_lanes(entries: Sequence[tuple[EventRecord, Entry]], lanes: int) -> list[LaneInsert]:
    """An insert for each lane. The lanes are in ascending order, so that two units never deadlock."""
    if len(entries) == 1:
        ((event, entry),) = entries
        number = lane_of(event, lanes)
        return [LaneInsert(number, entries, INSERT_ONE_IN_LANE, [number, 1, *entry])]
    placed = sorted(((lane_of(pair[0], lanes), pair) for pair in entries), key=itemgetter(0))
    found = []
    for number, group in groupby(placed, key=itemgetter(0)):
        those = [pair for _, pair in group]
        columns = [list(values) for values in zip(*(entry for _, entry in those), strict=True)]
        found.append(LaneInsert(number, those, INSERT_IN_LANE, [number, len(those), *columns]))
    return found


def append_postgresql(connection: sa.Connection, entries: Sequence[tuple[EventRecord, Entry]], lanes: int) -> None:
    """Write with one statement per lane."""
    for each in in_lanes(entries, lanes):
        connection.exec_driver_sql(f"WITH taken AS ({TAKE_IN_LANE} {TAKEN}) {each.sql}", tuple(each.arguments))


def append(connection: sa.Connection, events: Sequence[EventRecord], at: datetime) -> None:
    """Append the events as the last step of the transaction of `connection`."""
    if not events:
        return
    entries = encode(events, at, connection.dialect)
    if connection.dialect.name == "sqlite":
        append_sqlite(connection.connection.cursor(), entries)
    else:
        append_postgresql(connection, entries, lane_count(connection))


def lane_count(connection: sa.Connection) -> int:
    """The number of lanes that this database was created with."""
    return connection.execute(sa.select(sa.func.count()).select_from(lane)).scalar_one()
