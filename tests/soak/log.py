"""What a database holds at the end of a run: what every listener has to have been told, and what was written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from app.core.clock import rfc3339, utc_now
from app.core.events import EventRecord, LoggedEvent, topic_name
from app.core.ids import TimeOrderedIds
from app.interactions.tables import message, note
from app.registry import KINDS
from app.settings import Settings
from app.storage.database import Work, open_database
from app.storage.event_log import Cursor, merged, parse_cursor, read_after

T = TypeVar("T")
PREFIXES = {kind.rules.name: kind.rules.prefix for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Stored:
    """Events in an order that keeps each interaction's own, and the ids of all messages and notes."""

    events: Sequence[LoggedEvent]
    ids: frozenset[str]


async def stored_after(cursor: str, database_url: str) -> Stored:
    """What came after the cursor, read at once by somebody who listens to nothing."""
    return await read_of(database_url, _read, parse_cursor(cursor))


async def read_of(database_url: str, read: Callable[..., T], *arguments: object) -> T:
    """What one unit reads of the database, beside the servers."""
    rules: Mapping[str, Any] = {kind.rules.name: kind.rules for kind in KINDS}
    database = await open_database(
        database_url, clock=utc_now, ids=TimeOrderedIds(), settings=Settings(pool_size=1), kinds=rules
    )
    try:
        return await database.command(read, *arguments)
    finally:
        await database.close()


def _read(work: Work, cursor: Cursor) -> Stored:
    query = read_after(work.dialect_name, cursor, 10_000_000)
    events = list(merged(work.connection.exec_driver_sql(query.sql, tuple(query.args))))
    messages = (f"msg_{id_}" for id_ in work.connection.scalars(sa.select(message.c.id)))
    notes = (f"not_{id_}" for id_ in work.connection.scalars(sa.select(note.c.id)))
    return Stored(events, frozenset((*messages, *notes)))


Fact = tuple[str, int | None, str, str | None]
"""What tells an event from the others of its interaction: topic, version, time, and whose echo it is."""


def facts_of(events: Sequence[LoggedEvent], field: str, kinds: Sequence[str] | None) -> dict[str, list[Fact]]:
    """The events that a subscription to this field has to send, by interaction."""
    found: dict[str, list[Fact]] = {}
    for each in events:
        event = each.event
        if event.interaction_id is None or not _IS_TOLD[field](event):
            continue
        kind = str(event.kind)
        if kinds is None or kind.upper() in kinds:
            fact = (topic_name(event.topic, event.kind), event.version, rfc3339(each.at), event.client_mutation_id)
            found.setdefault(f"{PREFIXES[kind]}_{event.interaction_id}", []).append(fact)
    return found


def _is_change(event: EventRecord) -> bool:
    return not event.topic.startswith("attention.") and event.topic != "interaction.typing"


def _is_message(event: EventRecord) -> bool:
    return event.topic.endswith((".message_received", ".message_sent"))


def _is_attention(event: EventRecord) -> bool:
    if event.topic.startswith("attention."):
        return True
    # What makes the attention another one is told by the attention's own event.
    if "attention" in event.data or event.level_after is None:
        return False
    changes: Any = event.data.get("changes", ())
    return event.topic.endswith(".acknowledged") or any(
        change["field"] in ("assignee", "claimedUntil") for change in changes
    )


_IS_TOLD = {"interactionChanged": _is_change, "messageAdded": _is_message, "attentionChanged": _is_attention}
