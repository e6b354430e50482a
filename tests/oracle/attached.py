"""How the fields of connections are answered from plain rows."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.core.clock import rfc3339
from tests.graph.state import Row
from tests.oracle.basics import BY_ID, Resolve, asking, edge, of_column, ref

_ACTIONS = {
    "SECRET_UNREADABLE": "RESTORE_SECRETS_KEY",
    "WRONG_SIGNATURES": "CORRECT_SECRET",
    "DELIVERIES_PARKED": "REPLAY_OR_DROP_PARKED",
    "DELIVERIES_WAITING": "READ_SERVER_LOG",
    "READS_FAILING": "RETRY_READS",
}
_MESSAGES = {
    "SECRET_UNREADABLE": "The server cannot read the connection's secrets, so deliveries are refused with 503.",
    "WRONG_SIGNATURES": "The latest delivery was not signed with a secret of the connection.",
    "DELIVERIES_PARKED": "Deliveries could not be applied and are parked.",
    "DELIVERIES_WAITING": "Deliveries have waited for more than a minute.",
    "READS_FAILING": "Something that changed in the other system could not be taken in after several tries.",
}


def _of(row: Row, info: Any, state: str) -> list[Row]:
    deliveries = asking(info).world.rows["inbox"]
    return [each for each in deliveries if each["connection_id"] == row["id"] and each["state"] == state]


def _lag(row: Row, info: Any) -> timedelta:
    now = asking(info).world.now
    return max((now - each["due_at"] for each in _of(row, info, "PENDING")), default=timedelta(0))


def _code(row: Row, info: Any) -> str | None:
    last, refused = row["last_delivery_at"], row["last_refused_at"]
    if row["paused"]:
        return None
    if row["fault"]:
        return "SECRET_UNREADABLE"
    if refused and (not last or refused > last):
        return "WRONG_SIGNATURES"
    if _of(row, info, "PARKED"):
        return "DELIVERIES_PARKED"
    if row["reach_fault"]:
        return "SYSTEM_SILENT"
    if _lag(row, info) > timedelta(minutes=1):
        return "DELIVERIES_WAITING"
    return "READS_FAILING" if any(each["attempts"] >= 4 for each in _of_table(row, info, "dirty")) else None


def _error(row: Row, info: Any) -> Row | None:
    code = _code(row, info)
    return None if code is None else {"code": code, "action": _ACTIONS[code], "message": _MESSAGES[code]}


def _state(row: Row, info: Any) -> str:
    code = _code(row, info)
    if row["paused"]:
        return "STOPPED"
    if code is not None:
        return "DEGRADED" if code.startswith(("DELIVERIES", "READS")) else "BAD_CREDENTIALS"
    if row["address"] and row["polled_at"]:
        return "CONNECTED" if row["walked_at"] else "BACKFILLING"
    return "CONNECTED" if row["last_delivery_at"] else "CONNECTING"


def _former_until(row: Row, info: Any) -> str | None:
    until = row["former_until"]
    return rfc3339(until) if until is not None and until > asking(info).world.now else None


def _of_table(row: Row, info: Any, table: str, key: str = "connection_id") -> list[Row]:
    return [each for each in asking(info).world.rows[table] if each[key] == row["id"]]


_PENDING = ("WAITING", "SENDING", "LOOKING")


def _stands(entries: list[Row]) -> str:
    states = {each["state"] for each in entries}
    worst = next((state for state in ("REFUSED", "UNCERTAIN") if state in states), None)
    return worst or ("PENDING" if states else "SYNCED")


def message_state(row: Row, info: Any) -> str | None:
    """How a message stands towards the system that it comes from."""
    world = asking(info).world
    own = [each for each in world.rows["outbox"] if each["message_id"] == row["id"] and each["slot"] is None]
    place = world.objects["Upstream"].get(row["interaction_id"])
    if own or place is None:
        return _stands(own) if own else None
    return None if _system(place, info)["cannot"] is None else "SYNCED"


def is_down(interaction: int, world: Any) -> bool:
    """Whether nothing can be written to the system that the interaction comes from."""
    place = world.objects["Upstream"].get(interaction)
    system = None if place is None else world.objects["ConnectedSystem"][place["connection_id"]]
    return system is not None and bool(system["address"]) and bool(system["paused"] or system["reach_fault"])


def _trouble(row: Row, info: Any) -> str | None:
    found = _of_table(row, info, "outbox", "interaction_id")
    return next((each["error"] for each in found if each["state"] in ("REFUSED", "UNCERTAIN")), None)


def _system(row: Row, info: Any) -> Row:
    return asking(info).world.objects["ConnectedSystem"][row["connection_id"]]


CONNECTED_SYSTEM: Mapping[str, Resolve] = {
    "hookPath": lambda row, info: f"/hooks/con_{row['id']}/{row['token']}",
    "state": _state,
    "error": _error,
    "pending": lambda row, info: len(_of(row, info, "PENDING")),
    "parked": lambda row, info: len(_of(row, info, "PARKED")),
    "lagSeconds": lambda row, info: int(_lag(row, info).total_seconds()),
    "formerSecretUntil": _former_until,
    "pendingWrites": lambda row, info: sum(each["state"] in _PENDING for each in _of_table(row, info, "outbox")),
    "pendingReads": lambda row, info: len(_of_table(row, info, "dirty")),
    "walkedPages": of_column("walk_page"),
    "totalPages": of_column("walk_pages"),
    "missing": lambda row, info: row["missing"] or 0,
    "parkedDeliveries": edge("ParkedDelivery", "connection_id", BY_ID, "OLDEST"),
    "failingReads": edge("FailingRead", "connection_id", BY_ID, "OLDEST"),
}

UPSTREAM: Mapping[str, Resolve] = {
    "name": lambda row, info: _system(row, info)["name"],
    "system": lambda row, info: _system(row, info)["system"],
    "key": of_column("upstream_key"),
    "connection": ref("ConnectedSystem", "connection_id"),
    "lastSyncedAt": of_column("synced_at"),
    "state": lambda row, info: _stands(_of_table(row, info, "outbox", "interaction_id")),
    "pending": lambda row, info: sum(
        each["state"] in _PENDING for each in _of_table(row, info, "outbox", "interaction_id")
    ),
    "error": _trouble,
    "entries": edge("OutboxEntry", "interaction_id", BY_ID, "OLDEST"),
}

OUTBOX_ENTRY: Mapping[str, Resolve] = {
    "lastError": of_column("error"),
    "aboutMessage": ref("Message", "message_id"),
    "user": ref("User", "actor_id"),
}
