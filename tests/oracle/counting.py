"""How interactions are counted by groupings, over plain rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.graph.state import Row
from tests.oracle.conditions import LEVELS, account_of, passes, references
from tests.oracle.world import Asking

_GROUPINGS: Mapping[str, Callable[[Row], Sequence[str | None]]] = {
    "KIND": lambda row: [row["kind"].upper()],
    "STATE": lambda row: [row["state"]],
    "STATUS": lambda row: [row["status"]],
    "CHANNEL": lambda row: [row["channel"]],
    "ACCOUNT": lambda row: [None if row["kind"] == "chat_session" else account_of(row)],
    "CHAT_TOPIC": lambda row: [account_of(row) if row["kind"] == "chat_session" else None],
    "ASSIGNEE": lambda row: [None if row["assignee_id"] is None else f"usr_{row['assignee_id']}"],
    "TEAM": lambda row: [f"tea_{row['team_id']}" if row["team_id"] else None],
    "UNREAD": lambda row: ["true" if row["unread_customer_messages_count"] else "false"],
    "ATTENTION_NEEDED": lambda row: ["false" if row["attention_level"] is None else "true"],
    "LEVEL": lambda row: [LEVELS.get(row["attention_level"])],
    "REASON": lambda row: [row["attention_reason"]],
    "LABEL": lambda row: row["labels"],
    "TAG": lambda row: row.get("tags") or [],
    "TOPIC": lambda row: row.get("topics") or [],
}
"""The groups that an interaction is in, by each grouping."""


def interaction_counts(found: Asking, groupBy: Sequence[str], filter: Mapping[str, Any] | None = None) -> Row:  # noqa: N803
    references(filter)
    items = found.many("Interaction", lambda row: passes(row, filter or {}))

    def groups(by: str) -> Row:
        rows: dict[str | None, list[Row]] = {}
        for row in items:
            for value in _GROUPINGS[by](row):
                rows.setdefault(value, []).append(row)
        by_size = sorted(rows, key=lambda value: (-len(rows[value]), value is None, value or ""))
        refers = by in ("ACCOUNT", "CHAT_TOPIC", "ASSIGNEE", "TEAM")
        return {
            "by": by,
            "groups": [
                {
                    "value": value,
                    "node": found.node(value) if refers and value is not None else None,
                    "count": len(rows[value]),
                    "unread_count": sum(row["unread_customer_messages_count"] > 0 for row in rows[value]),
                    "attention_count": sum(row["attention_level"] is not None for row in rows[value]),
                }
                for value in by_size[:100]
            ],
            "is_capped": len(rows) > 100,
        }

    return {
        "count": len(items),
        "count_is_capped": False,
        "groupings": [groups(by) for by in dict.fromkeys(groupBy)],
    }
