"""Metrics read from the database: the queue, deadlines, other systems."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.connections.tables import PARKED, PENDING
from app.interactions.reads.filters import LEVELS
from app.interactions.repository.deadlines import NEXT_DUE
from app.storage.query import Query, Row
from app.storage.tables import moment_of

_QUEUE = Query(
    "SELECT attention_level, count(*), min(attention_since) FROM interaction "
    "WHERE attention_level IS NOT NULL GROUP BY attention_level"
)
_INBOX = Query(
    f"SELECT '{PENDING}', count(*), min(due_at) FROM inbox WHERE state = '{PENDING}' UNION ALL "
    f"SELECT '{PARKED}', count(*), min(due_at) FROM inbox WHERE state = '{PARKED}'"
)
_CONNECTIONS = Query(
    "SELECT CASE WHEN paused THEN 'paused' WHEN fault IS NOT NULL OR reach_fault IS NOT NULL OR missing IS NOT NULL "
    "OR (last_refused_at IS NOT NULL AND (last_delivery_at IS NULL OR last_refused_at > last_delivery_at)) "
    "THEN 'at_fault' ELSE 'taking' END AS standing, "
    "count(*) FROM connected_system WHERE deleted_at IS NULL GROUP BY standing"
)
_DESTINATIONS = Query("SELECT state, count(*), min(failing_since) FROM destination GROUP BY state")
_PARTITIONS = Query("SELECT count(DISTINCT era) FROM log_era")


@dataclass(slots=True)
class Seen:
    """Numbers at one moment; ages are in seconds."""

    queue: dict[str, int] = field(default_factory=dict)
    queue_age: dict[str, float] = field(default_factory=dict)
    lateness: float = 0.0
    inbox: dict[str, int] = field(default_factory=dict)
    inbox_age: float = 0.0
    connections: dict[str, int] = field(default_factory=dict)
    destinations: dict[str, int] = field(default_factory=dict)
    failing_age: float = 0.0
    partitions: int = 1


def look(dialect_name: str, now: datetime) -> Generator[Query, Sequence[Row], Seen]:
    """A plan that reads these numbers. Each statement reads an index or a small table."""

    def age(moment: Any) -> float:
        return 0.0 if moment is None else max((now - moment_of(moment)).total_seconds(), 0.0)

    queue = yield _QUEUE
    due = yield NEXT_DUE
    inbox = yield _INBOX
    connections = yield _CONNECTIONS
    destinations = yield _DESTINATIONS
    partitions = 1 if dialect_name == "sqlite" else (yield _PARTITIONS)[0][0]
    levels: Mapping[int, str] = LEVELS
    counted = {levels[level]: (count, age(since)) for level, count, since in queue}
    return Seen(
        queue={name: counted.get(name, (0, 0.0))[0] for name in levels.values()},
        queue_age={name: counted.get(name, (0, 0.0))[1] for name in levels.values()},
        lateness=age(due[0][0]) if due else 0.0,
        inbox={state: count for state, count, _ in inbox},
        inbox_age=max((age(since) for state, _, since in inbox if state == PENDING), default=0.0),
        connections={row[0]: row[1] for row in connections},
        destinations={state: count for state, count, _ in destinations},
        failing_age=max((age(since) for state, _, since in destinations if state == "ACTIVE"), default=0.0),
        partitions=partitions,
    )
