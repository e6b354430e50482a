"""By hand on PostgreSQL: a pool of the driver's connections, one prepared statement for each operation."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson

from app.storage.engines import asyncpg_arguments, parse_database_url
from benchmarks.cases import FLAT, INBOX, SINGLE, UPDATE
from benchmarks.peers.by_hand.http import Answer, event_of, flat, message, node, serve_by_hand
from benchmarks.peers.operations import OPEN, PAGE

_FLAT_COLUMNS = "id, kind, state, version, last_message_at"
_ONE = (
    "SELECT i.id, i.state, s.need_attention, s.tags, i.version FROM session s JOIN interaction i ON i.id = s.id "
    "WHERE s.session_key = $1"
)
_LIST = f"SELECT {_FLAT_COLUMNS} FROM interaction ORDER BY active_at DESC, id DESC LIMIT 20"
_OPEN = (
    f"SELECT {_FLAT_COLUMNS} FROM interaction WHERE kind = 'session' AND state = 'OPEN' "
    "ORDER BY created_at DESC, id DESC LIMIT 20"
)
_INBOX = """
    SELECT i.id, i.kind, i.state, i.last_message_at, i.unread_customer_messages_count, i.attention_level,
           i.attention_reason, i.attention_since, c.id, c.name, m.id, m.author, m.text, m.sent_at
    FROM ({page}) i
    LEFT JOIN customer c ON c.id = i.customer_id
    LEFT JOIN LATERAL (
        SELECT id, author, text, sent_at FROM message
        WHERE interaction_id = i.id ORDER BY sent_at DESC, id DESC LIMIT 5
    ) m ON true
    ORDER BY {order}, m.sent_at, m.id
"""
_WALKS = " UNION ALL ".join(
    f"(SELECT * FROM interaction WHERE kind = 'conversation' AND state = '{state}' "
    "ORDER BY active_at DESC, id DESC LIMIT 50)"
    for state in ("OPEN", "SNOOZED", "CLOSED")
)
_PAGE = _INBOX.format(
    page=f"SELECT * FROM ({_WALKS}) each_state ORDER BY active_at DESC, id DESC LIMIT 50",
    order="i.active_at DESC, i.id DESC",
)
_QUEUE = _INBOX.format(
    page=(
        "SELECT * FROM interaction WHERE attention_level IS NOT NULL "
        "ORDER BY attention_level, attention_since, id LIMIT 50"
    ),
    order="i.attention_level, i.attention_since, i.id",
)
_STATE = "SELECT tags, topics FROM session WHERE id = $1"
_UPDATE = """
    WITH changed AS (
        UPDATE interaction SET version = version + 1, updated_at = $2 WHERE id = $1 RETURNING version, customer_id
    ), session_changed AS (
        UPDATE session SET tags = $3, topics = $4 WHERE id = $1
    ), gone AS (
        DELETE FROM interaction_tag
        WHERE interaction_id = $1 AND (name, value) NOT IN (SELECT * FROM unnest($5::text[], $6::text[]))
    ), new AS (
        INSERT INTO interaction_tag (interaction_id, name, value)
        SELECT $1, * FROM unnest($5::text[], $6::text[]) ON CONFLICT DO NOTHING
    ), place AS (
        UPDATE lane SET head = head + 1 WHERE id = $7 RETURNING head, era
    ), told AS (
        INSERT INTO event_log
            (lane, era, position, at, topic, kind, interaction_id, customer_id, actor_id, version, data)
        SELECT $7, era, head, $2, 'session.updated', 'session', $1, customer_id, 1, version, $8 FROM place, changed
    )
    SELECT version FROM changed
"""
_CONNECTIONS = 10
_LANES = "SELECT count(*) FROM lane"


def answers(pool: "asyncpg.Pool[asyncpg.Record]", lanes: int) -> Mapping[str, Answer]:
    """An Answer for each operation."""

    async def one(variables: Mapping[str, Any]) -> Mapping[str, Any]:
        number, state, flagged, tags, version = await pool.fetchrow(_ONE, variables["key"])
        return {
            "session": {
                "id": f"ses_{number}",
                "state": state,
                "needAttention": flagged,
                "tags": orjson.Fragment(tags),
                "version": version,
            }
        }

    async def newest(_: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"interactions": {"nodes": [flat(row) for row in await pool.fetch(_LIST)]}}

    async def open_ones(_: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"interactions": {"nodes": [flat(row) for row in await pool.fetch(_OPEN)]}}

    async def inbox(statement: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        last = 0
        said: list[Mapping[str, Any]] = []
        for row in await pool.fetch(statement):
            if row[0] != last:
                last, said = row[0], []
                found.append(node(row, said))
            if row[10] is not None:
                said.append(message(row[10:]))
        return found

    async def page(_: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"interactions": {"nodes": await inbox(_PAGE)}}

    async def queue(_: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"attentionQueue": {"nodes": await inbox(_QUEUE)}}

    async def update(variables: Mapping[str, Any]) -> Mapping[str, Any]:
        given = variables["input"]
        number = int(given["id"].removeprefix("ses_"))
        tags, topics = (orjson.dumps(given[name]).decode() for name in ("tags", "topics"))
        names = ["tag"] * len(given["tags"]) + ["topic"] * len(given["topics"])
        now = datetime.now(UTC)
        async with pool.acquire() as connection:
            before = await connection.fetchrow(_STATE, number)
            version = await connection.fetchval(
                _UPDATE,
                number,
                now,
                tags,
                topics,
                names,
                [*given["tags"], *given["topics"]],
                number % lanes,
                event_of(given, *before),
            )
        changed = {"id": given["id"], "tags": given["tags"], "topics": given["topics"], "version": version}
        return {"updateSession": {"session": changed, "errors": []}}

    return {SINGLE: one, FLAT: newest, OPEN: open_ones, PAGE: page, INBOX: queue, UPDATE: update}


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Mapping[str, Answer]]:
    """The answers over the database at this address."""
    arguments = asyncpg_arguments(parse_database_url(url))
    async with asyncpg.create_pool(**arguments, min_size=_CONNECTIONS, max_size=_CONNECTIONS) as pool:
        yield answers(pool, await pool.fetchval(_LANES))


if __name__ == "__main__":
    serve_by_hand(opened(sys.argv[1]))
