"""How the fields of interactions, messages and history are answered from plain rows."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from app.core.clock import rfc3339
from app.interactions.model import Command
from app.kinds.chat_session.model.commands import ChatCommand
from app.kinds.conversation.model.commands import ConversationCommand
from app.kinds.session.settings import SessionSettings
from tests.graph.state import Row
from tests.oracle.attached import is_down
from tests.oracle.basics import BY_ID, CREATED, HAPPENED, INTERACTIONS, SENT, Resolve, asking, edge, of_column, ref
from tests.oracle.conditions import LEVELS, passes, references
from tests.oracle.connections import connection
from tests.oracle.searching import found_by
from tests.oracle.world import Asking

COMMANDS = (*Command, *ChatCommand, *ConversationCommand)

MOMENTARY = ("interaction.typing", "interaction.viewers_changed")
"""The topics that a history leaves out."""


def _attention(row: Row, info: Any) -> Row:
    since = row["attention_since"]
    waited = None if since is None else int((asking(info).world.now - since).total_seconds())
    return {
        "__typename": "Attention",
        "needed": row["attention_level"] is not None,
        "reason": row["attention_reason"],
        "reasons": row["attention_reasons"],
        "level": LEVELS.get(row["attention_level"]),
        "note": None if row["attention_level"] is None else row["raised_note"],
        "since": since,
        "deadline": row["attention_deadline"],
        "acknowledged_by": row["acknowledged_by"],
        "acknowledged_at": row["acknowledged_at"],
        "claimed_by": row["assignee_id"],
        "claimed_until": row["claimed_until"],
        "waiting_seconds": waited,
        "queue_key": None if since is None else f"{row['attention_level']} {rfc3339(since)} {row['id']:019}",
    }


def _viewers(row: Row, info: Any) -> Sequence[Row]:
    found = asking(info)
    leases = [each for each in found.world.rows["watch"] if each["subject"] == row["id"]]
    alive = [each for each in leases if each["until"] > found.world.now]
    return [
        {"__typename": "InteractionViewer", "user": each["user_id"], "until": each["until"]}
        for each in sorted(alive, key=lambda each: int(each["user_id"]))
    ]


def _viewer_can(row: Row, info: Any) -> Row:
    found = asking(info)
    world = found.world
    refusal = world.refusals[row["kind"]]
    model = world.models[row["id"]]
    allowed = {
        command.lower(): refusal(command, model, found.actor, world.now, world.settings) is None for command in COMMANDS
    }
    block = _reply_block(model, found, world.settings) if found.writes(row) else "NOT_ALLOWED"
    return {**allowed, "reply": block is None, "reply_blocked_by": block}


def _reply_block(model: Any, found: Asking, settings: Any) -> str | None:
    """Why an actor who may write cannot reply, from the whole model; the first reason that holds."""
    now, reasons = found.world.now, dict[str, bool]()
    match model.kind:
        case "conversation":
            window = model.channel == "WHATSAPP" and (model.reply_until is None or model.reply_until <= now)
            reasons |= {
                "BLOCKED": model.blocked,
                "ACCOUNT_OFFLINE": not model.in_sync,
                "CUSTOMER_MUST_ANSWER": model.channel == "WHATSAPP" and model.customer_interaction_required,
                "WINDOW_CLOSED": window,
            }
        case "session":
            own = settings.of(SessionSettings)
            waits = model.assignee_id is not None and model.waiting.since is not None
            ends = (model.last_message_at or model.created_at) + settings.session_window
            reasons |= {
                "CLOSED": not model.need_attention and not waits and ends <= now,
                "BOT_IN_CHARGE": not (model.need_attention or own.allow_reply_without_attention),
                "UNSUBSCRIBED": model.unsubscribed,
                "NO_NUMBER": not model.has_number,
            }
        case "agent_session":
            reasons["CLOSED"] = not model.enabled
        case "chat_session":
            reasons["CLOSED"] = model.status in ("FINISHED", "DELETED", "CLOSED", "CLOSED_FROM_QUEUE")
    lapsed = model.claimed_until is not None and model.claimed_until <= now
    held = model.assignee_id not in (None, found.actor.user_id, model.lost_holder_id)
    reasons["HELD_BY_OTHER"] = held and not lapsed
    reasons["CONNECTION_DOWN"] = is_down(model.id, found.world)
    return next((name for name, holds in reasons.items() if holds), None)


def _history(row: Row, info: Any, **arguments: Any) -> Any:
    items = asking(info).many(
        "HistoryEntry", lambda each: each["interaction_id"] == row["id"] and each["topic"] not in MOMENTARY
    )
    return connection(items, "HistoryEntry.history", HAPPENED, "AT_DESC", arguments)


def _assignable_users(row: Row, info: Any, search: str | None = None, present: bool | None = None, **given: Any) -> Any:
    world = asking(info).world
    responders = {
        each["user_id"]
        for each in world.rows["chat_topic_member"]
        if row["kind"] == "chat_session" and each["topic_id"] == row["topic_id"] and each["can_respond"]
    }

    def may_take(user: Row) -> bool:
        admin = "admin" in user["roles"]
        held, kind = user["permissions"], row["kind"]
        of_team = f"{kind}:read:team" in held and row["team_id"] in (0, *user["team_ids"])
        reads = f"{kind}:read" in held or f"{kind}:read:own" in held or of_team
        writes_team = f"{kind}:write:team" in held and row["team_id"] in (0, *user["team_ids"])
        writes = f"{kind}:write" in held or f"{kind}:write:own" in held or writes_team
        allowed = admin or (reads and writes)
        return user["active"] and allowed and (admin or not responders or user["id"] in responders)

    users = [user for user in world.all("User") if may_take(user) and present in (None, user["present"])]
    return connection(
        [user for user in users if found_by(user, search)], "User.assignableUsers", BY_ID, "OLDEST", given
    )


def _filtered(info: Any, customers: Collection[int], given: Mapping[str, Any]) -> Any:
    condition = given.get("filter") or {}
    references(condition)
    items = asking(info).many("Interaction", lambda each: each["customer_id"] in customers and passes(each, condition))
    return connection(items, "Interaction.interactions", INTERACTIONS, "LATEST_MESSAGE_AT_DESC", given)


def interactions_of_customer(row: Row, info: Any, **given: Any) -> Any:
    return _filtered(info, (row["id"],), given)


def interactions_of_profile(row: Row, info: Any, **given: Any) -> Any:
    customers = [each["id"] for each in asking(info).world.all("Customer") if each["profile_id"] == row["id"]]
    return _filtered(info, customers, given)


def customers_of_profile(row: Row, info: Any, **given: Any) -> Any:
    if not asking(info).actor.can("directory:read"):
        return None
    return edge("Customer", "profile_id", BY_ID, "OLDEST")(row, info, **given)


def level(column: str) -> Resolve:
    return lambda row, info: LEVELS.get(row[column])


INTERACTION: Mapping[str, Resolve] = {
    "kind": lambda row, info: row["kind"].upper(),
    "latestMessageAt": of_column("last_message_at"),
    "customer": ref("Customer", "customer_id"),
    "assignee": ref("User", "assignee_id"),
    "team": ref("Team", "team_id"),
    "attention": _attention,
    "messages": edge("Message", "interaction_id", SENT, "SENT_AT_ASC"),
    "latestMessage": ref("Message", "latest_message_id"),
    "latestCustomerMessage": ref("Message", "latest_customer_message_id"),
    "notes": edge("Note", "interaction_id", CREATED, "CREATED_AT_DESC"),
    "latestNote": ref("Note", "latest_note_id"),
    "history": _history,
    "viewers": _viewers,
    "viewerCan": _viewer_can,
    "user": ref("User", "assignee_id"),
    "assignableUsers": _assignable_users,
    "upstream": ref("Upstream", "id"),
}


def contents(row: Row, info: Any) -> Sequence[Row]:
    return [{"__typename": f"{each['type'].capitalize()}MessageContent", **each} for each in row["contents"]]


def campaign(row: Row, info: Any) -> Row | None:
    if row["campaign_name"] is None:
        return None
    return {"__typename": "Campaign", "campaign_id": row["campaign_id"], "name": row["campaign_name"]}
