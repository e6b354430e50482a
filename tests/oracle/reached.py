"""How the fields of destinations are answered from plain rows."""

from collections.abc import Mapping
from typing import Any

from tests.graph.state import Row
from tests.oracle.basics import NEWEST, Resolve, asking, permission_names, ref
from tests.oracle.connections import connection


def _deliveries(row: Row, info: Any, status: str | None = None, **given: Any) -> Any:
    items = asking(info).many(
        "Delivery", lambda each: each["destination_id"] == row["id"] and status in (None, each["status"])
    )
    return connection(items, "Delivery.deliveries", NEWEST, "NEWEST", given)


DESTINATION: Mapping[str, Resolve] = {
    "owner": ref("User", "owner_id"),
    "permissions": lambda row, info: permission_names(row["permissions"]),
    "deliveries": _deliveries,
}

DELIVERY: Mapping[str, Resolve] = {
    "destination": ref("Destination", "destination_id"),
    "interaction": ref("Interaction", "interaction_id"),
    "policy": ref("Policy", "policy_id"),
    "isTest": lambda row, info: row["lane"] is None,
}

POLICY: Mapping[str, Resolve] = {
    "destinationIds": lambda row, info: [f"dst_{each}" for each in row["destination_ids"]],
}
