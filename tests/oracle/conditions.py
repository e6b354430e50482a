"""What lists of interactions are narrowed by, tried on plain rows."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tests.graph.state import Row
from tests.oracle.connections import refuse
from tests.oracle.world import ID

LEVELS = {1: "URGENT", 2: "HIGH", 3: "NORMAL", 4: "LOW"}


def number_of(text: str, *prefixes: str) -> int:
    """The key in a global id of one of these types."""
    match = ID.fullmatch(text)
    if match is None or int(match[2]) >= 2**63:
        raise refuse("NOT_FOUND")
    if match[1] not in prefixes:
        raise refuse("INVALID_INPUT")
    return int(match[2])


def passes(row: Row, condition: Mapping[str, Any]) -> bool:
    """Whether an interaction fulfils all of an InteractionFilter."""
    return all(_CONDITIONS[name](row, wanted) for name, wanted in condition.items() if wanted is not None)


def as_asked(row: Row) -> Row:
    """An interaction as lists of attention have it: one that is offered to a user counts as that user's."""
    offered = row["attention_user_id"]
    return row if offered is None else {**row, "assignee_id": offered}


def _ranged(column: str) -> Callable[[Row, Any], bool]:
    def test(row: Row, wanted: Mapping[str, datetime | None]) -> bool:
        since, before, at = wanted.get("since"), wanted.get("before"), row[column]
        if at is None:
            return since is None and before is None
        return (since is None or at >= since) and (before is None or at < before)

    return test


def _assigned(row: Row, wanted: Mapping[str, Any]) -> bool:
    user, assigned = wanted.get("userId"), wanted.get("assigned")
    if user is not None and row["assignee_id"] != number_of(user, "usr"):
        return False
    or_nobody = wanted.get("userIdOrNobody")
    if or_nobody is not None and row["assignee_id"] not in (None, number_of(or_nobody, "usr")):
        return False
    return assigned is None or (row["assignee_id"] is not None) == assigned


def account_of(row: Row) -> str | None:
    """The global id of what the interaction's customer came by."""
    match row["kind"]:
        case "conversation":
            return f"cha_{row['channel_agent_id']}"
        case "agent_session":
            return f"aia_{row['agent_id']}"
        case "chat_session":
            return f"top_{row['topic_id']}"
        case _:
            return None


def _shares(column: str) -> Callable[[Row, Any], bool]:
    return lambda row, wanted: bool(set(row.get(column) or ()) & set(wanted))


_CONDITIONS: Mapping[str, Callable[[Row, Any], bool]] = {
    "kinds": lambda row, wanted: row["kind"].upper() in wanted,
    "states": lambda row, wanted: row["state"] in wanted,
    "statuses": lambda row, wanted: row["status"] in wanted,
    "channels": lambda row, wanted: row["channel"] in wanted,
    "accountIds": lambda row, wanted: account_of(row) in wanted,
    "chatTopicIds": lambda row, wanted: account_of(row) in wanted,
    "teamIds": lambda row, wanted: row["team_id"] in [0 if each is None else number_of(each, "tea") for each in wanted],
    "unread": lambda row, wanted: (row["unread_customer_messages_count"] > 0) == wanted,
    "assignee": _assigned,
    "customerId": lambda row, wanted: row["customer_id"] == number_of(wanted, "cus"),
    "labels": _shares("labels"),
    "tags": _shares("tags"),
    "topics": _shares("topics"),
    "attentionNeeded": lambda row, wanted: (row["attention_level"] is not None) == wanted,
    "reasons": _shares("attention_reasons"),
    "levels": lambda row, wanted: LEVELS.get(row["attention_level"]) in wanted,
    "botActive": lambda row, wanted: bool(row["bot_active"]) == wanted,
    "createdAt": _ranged("created_at"),
    "updatedAt": _ranged("updated_at"),
    "latestMessageAt": _ranged("last_message_at"),
}


def references(condition: Mapping[str, Any] | None) -> None:
    """Refuse a filter whose ids are of another type, whether or not anything is there to be filtered."""
    found = condition or {}
    for name in ("userId", "userIdOrNobody"):
        user = (found.get("assignee") or {}).get(name)
        if user is not None:
            number_of(user, "usr")
    if found.get("customer") is not None:
        number_of(found["customer"], "cus")
    for team in found.get("teamIds") or ():
        if team is not None:
            number_of(team, "tea")
    for name, prefixes in (("accountIds", ("cha", "aia")), ("chatTopicIds", ("top",))):
        for each in found.get(name) or ():
            number_of(each, *prefixes)
