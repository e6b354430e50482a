"""By hand on SQLite: one connection, used on the event loop, each update durable before it is answered."""

import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson

from benchmarks.cases import FLAT, INBOX, SINGLE, UPDATE
from benchmarks.peers.by_hand.http import Answer, event_of, flat, message, node, serve_by_hand
from benchmarks.peers.operations import OPEN, PAGE

_FLAT_COLUMNS = "id, kind, state, version, last_message_at"
_NODE_COLUMNS = (
    "i.id, i.kind, i.state, i.last_message_at, i.unread_customer_messages_count, i.attention_level, "
    "i.attention_reason, i.attention_since, c.id, c.name"
)
_ONE = (
    "SELECT i.id, i.state, s.need_attention, s.tags, i.version FROM session s JOIN interaction i ON i.id = s.id "
    "WHERE s.session_key = ?"
)
_LIST = f"SELECT {_FLAT_COLUMNS} FROM interaction ORDER BY active_at DESC, id DESC LIMIT 20"
_OPEN = (
    f"SELECT {_FLAT_COLUMNS} FROM interaction WHERE kind = 'session' AND state = 'OPEN' "
    "ORDER BY created_at DESC, id DESC LIMIT 20"
)
_WALKS = " UNION ALL ".join(
    "SELECT * FROM (SELECT id, active_at FROM interaction "
    f"WHERE kind = 'conversation' AND state = '{state}' ORDER BY active_at DESC, id DESC LIMIT 50)"
    for state in ("OPEN", "SNOOZED", "CLOSED")
)
_PAGE = (
    f"SELECT {_NODE_COLUMNS} FROM (SELECT id FROM ({_WALKS}) ORDER BY active_at DESC, id DESC LIMIT 50) p "
    "JOIN interaction i ON i.id = p.id LEFT JOIN customer c ON c.id = i.customer_id "
    "ORDER BY i.active_at DESC, i.id DESC"
)
_QUEUE = (
    f"SELECT {_NODE_COLUMNS} FROM interaction i LEFT JOIN customer c ON c.id = i.customer_id "
    "WHERE i.attention_level IS NOT NULL ORDER BY i.attention_level, i.attention_since, i.id LIMIT 50"
)
_MESSAGES = (
    "SELECT k.value, m.id, m.author, m.text, m.sent_at FROM json_each(?) k JOIN message m ON m.id IN "
    "(SELECT id FROM message WHERE interaction_id = k.value ORDER BY sent_at DESC, id DESC LIMIT 5) "
    "ORDER BY m.sent_at, m.id"
)
_STATE = (
    "SELECT i.version, i.customer_id, s.tags, s.topics FROM interaction i JOIN session s ON s.id = i.id WHERE i.id = ?"
)
_EVENT = (
    "INSERT INTO event_log (lane, position, at, topic, kind, interaction_id, customer_id, actor_id, version, data) "
    "VALUES (0, ?, ?, 'session.updated', 'session', ?, ?, 1, ?, ?)"
)


def answers(connection: sqlite3.Connection) -> Mapping[str, Answer]:
    """An Answer for each operation."""
    ask = connection.execute

    async def one(variables: Mapping[str, Any]) -> Mapping[str, Any]:
        number, state, flagged, tags, version = ask(_ONE, (variables["key"],)).fetchone()
        return {
            "session": {
                "id": f"ses_{number}",
                "state": state,
                "needAttention": bool(flagged),
                "tags": orjson.Fragment(tags),
                "version": version,
            }
        }

    async def newest(_: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"interactions": {"nodes": [flat(row) for row in ask(_LIST)]}}

    async def open_ones(_: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"interactions": {"nodes": [flat(row) for row in ask(_OPEN)]}}

    def inbox(statement: str) -> list[Mapping[str, Any]]:
        rows = ask(statement).fetchall()
        said: dict[int, list[Mapping[str, Any]]] = {row[0]: [] for row in rows}
        for interaction, *found in ask(_MESSAGES, (orjson.dumps(list(said)).decode(),)):
            said[interaction].append(message(found))
        return [node(row, said[row[0]]) for row in rows]

    async def page(_: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"interactions": {"nodes": inbox(_PAGE)}}

    async def queue(_: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"attentionQueue": {"nodes": inbox(_QUEUE)}}

    async def update(variables: Mapping[str, Any]) -> Mapping[str, Any]:
        given = variables["input"]
        number = int(given["id"].removeprefix("ses_"))
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        ask("BEGIN IMMEDIATE")
        version, customer, tags, topics = ask(_STATE, (number,)).fetchone()
        encoded = [orjson.dumps(given[name]).decode() for name in ("tags", "topics")]
        ask("UPDATE interaction SET version = ?, updated_at = ? WHERE id = ?", (version + 1, now, number))
        ask("UPDATE session SET tags = ?, topics = ? WHERE id = ?", (*encoded, number))
        old, new = (set(_named(each)) for each in ({"tags": orjson.loads(tags), "topics": orjson.loads(topics)}, given))
        for name, value in old - new:
            ask(
                "DELETE FROM interaction_tag WHERE interaction_id = ? AND name = ? AND value = ?", (number, name, value)
            )
        for name, value in new - old:
            ask("INSERT INTO interaction_tag (interaction_id, name, value) VALUES (?, ?, ?)", (number, name, value))
        (head,) = ask("UPDATE lane SET head = head + 1 WHERE id = 0 RETURNING head").fetchone()
        ask(_EVENT, (head, now, number, customer, version + 1, event_of(given, tags, topics)))
        ask("COMMIT")
        changed = {"id": given["id"], "tags": given["tags"], "topics": given["topics"], "version": version + 1}
        return {"updateSession": {"session": changed, "errors": []}}

    return {SINGLE: one, FLAT: newest, OPEN: open_ones, PAGE: page, INBOX: queue, UPDATE: update}


def _named(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from (("tag", each) for each in given["tags"])
    yield from (("topic", each) for each in given["topics"])


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Mapping[str, Answer]]:
    """The answers over the database at this address."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    try:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "mmap_size = 268435456"):
            connection.execute(f"PRAGMA {pragma}")
        yield answers(connection)
    finally:
        connection.close()


if __name__ == "__main__":
    serve_by_hand(opened(sys.argv[1]))
