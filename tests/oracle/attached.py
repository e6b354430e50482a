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
}
_MESSAGES = {
    "SECRET_UNREADABLE": "The server cannot read the connection's secrets, so deliveries are refused with 503.",
    "WRONG_SIGNATURES": "The latest delivery was not signed with a secret of the connection.",
    "DELIVERIES_PARKED": "Deliveries could not be applied and are parked.",
    "DELIVERIES_WAITING": "Deliveries have waited for more than a minute.",
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
    return "DELIVERIES_WAITING" if _lag(row, info) > timedelta(minutes=1) else None


def _error(row: Row, info: Any) -> Row | None:
    code = _code(row, info)
    return None if code is None else {"code": code, "action": _ACTIONS[code], "message": _MESSAGES[code]}


def _state(row: Row, info: Any) -> str:
    code = _code(row, info)
    if row["paused"]:
        return "STOPPED"
    if code is not None:
        return "DEGRADED" if code.startswith("DELIVERIES") else "BAD_CREDENTIALS"
    return "CONNECTED" if row["last_delivery_at"] else "CONNECTING"


def _former_until(row: Row, info: Any) -> str | None:
    until = row["former_until"]
    return rfc3339(until) if until is not None and until > asking(info).world.now else None


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
    "parkedDeliveries": edge("ParkedDelivery", "connection_id", BY_ID, "OLDEST"),
}

UPSTREAM: Mapping[str, Resolve] = {
    "name": lambda row, info: _system(row, info)["name"],
    "system": lambda row, info: _system(row, info)["system"],
    "key": of_column("upstream_key"),
    "connection": ref("ConnectedSystem", "connection_id"),
}
