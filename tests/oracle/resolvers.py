"""How every object's fields are answered from plain rows: written from the product's description, not from mappings."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.core.clock import rfc3339
from app.kinds.chat_session.model.rights import field_properties, table_right
from tests.graph.state import Row
from tests.oracle import grants
from tests.oracle.attached import CONNECTED_SYSTEM, OUTBOX_ENTRY, UPSTREAM, is_down, message_state
from tests.oracle.basics import (
    BEGAN,
    BY_ID,
    CONTACT_DATA,
    HAPPENED,
    INTERACTIONS,
    NEWEST,
    Resolve,
    asking,
    default,
    edge,
    embedded,
    guarded,
    hidden,
    permission_names,
    ref,
)
from tests.oracle.connections import Orders, connection
from tests.oracle.interactions import (
    INTERACTION,
    campaign,
    contents,
    customers_of_profile,
    interactions_of_customer,
    interactions_of_profile,
    level,
)
from tests.oracle.reached import DELIVERY, DESTINATION, POLICY
from tests.oracle.world import ID, KIND_TYPES, PREFIXES


def _unread_conversations(row: Row, info: Any) -> int:
    return sum(
        each["channel_agent_id"] == row["id"] and each["unread_customer_messages_count"] > 0
        for each in asking(info).many("Conversation")
    )


def _queue_length(row: Row, info: Any) -> int:
    chats = asking(info).many("ChatSession")
    return sum(each["topic_id"] == row["id"] and each["status"] == "IN_QUEUE" for each in chats)


def _referred(name: str) -> Resolve:
    def resolve(row: Row, info: Any) -> Row | None:
        match = ID.fullmatch(row[name] or "")
        return None if match is None else asking(info).one(PREFIXES[match[1]], int(match[2]))

    return resolve


def _present(row: Row, info: Any) -> bool:
    user = asking(info).world.objects["User"][row["user_id"]]
    return bool(user["present"] and user["active"])


def _ongoing(row: Row, info: Any) -> int:
    active = ("CUSTOMER_LAST", "USER_LAST")
    chats = asking(info).many("ChatSession")
    return sum(each["assignee_id"] == row["user_id"] and each["status"] in active for each in chats)


def _joined(
    row: Row, info: Any, name: str, by: tuple[str, str], orders: Orders, order: str, arguments: Mapping[str, Any]
) -> Any:
    """The objects that memberships lead to: `by` names the column of this row's key and that of theirs."""
    own, other = by
    keys = {each[other] for each in asking(info).world.rows["team_member"] if each[own] == row["id"]}
    items = asking(info).many(name, lambda each: each["id"] in keys)
    return connection(items, f"{name}.{info.field_name}", orders, order, arguments)


def _history(user: int, info: Any, arguments: Mapping[str, Any]) -> Any:
    items = asking(info).many("UserHistoryEntry", lambda each: each["assignee_id"] == user)
    return connection(items, "UserHistoryEntry.history", HAPPENED, "AT_DESC", arguments)


def _reply_possible(row: Row, info: Any) -> bool:
    world = asking(info).world
    agent = world.objects["ChannelAgent"][row["channel_agent_id"]]
    customer = world.objects["Customer"].get(row["customer_id"])
    profile = world.objects["Profile"].get(customer["profile_id"]) if customer else None
    if is_down(row["id"], world):
        return False
    if not agent["in_sync"] or (profile is not None and profile["blocked"]) or row["customer_interaction_required"]:
        return False
    return row["channel"] != "WHATSAPP" or (row["reply_until"] is not None and row["reply_until"] > world.now)


def _expires_at(row: Row, info: Any) -> str | None:
    busy = any(row[name] is not None for name in ("attention_level", "assignee_id", "waiting_since"))
    if not row["tti_minutes"] or (busy and row["state"] != "CLOSED"):
        return None
    return rfc3339(row["updated_at"] + timedelta(minutes=row["tti_minutes"]))


FIELDS: Mapping[str, Mapping[str, Resolve]] = {
    **dict.fromkeys(KIND_TYPES.values(), INTERACTION),
    "Attention": {"acknowledgedBy": ref("User", "acknowledged_by"), "claimedBy": ref("User", "claimed_by")},
    "InteractionViewer": {"user": ref("User", "user")},
    "Message": {
        "messageId": lambda row, info: row["id"],
        "upstreamState": message_state,
        "senderRole": lambda row, info: {"CUSTOMER": "END_USER", "USER": "AGENT"}.get(row["author"], "BOT"),
        "interaction": ref("Interaction", "interaction_id"),
        "user": ref("User", "user_id"),
        "contents": contents,
        "reference": ref("Message", "reference_id"),
        "campaign": campaign,
        "latestError": ref("MessageError", "latest_error_id"),
        "errors": edge(
            "MessageError",
            "message_id",
            {"NEWEST": (lambda row: (row["created_at"], row["id"]), True)},
            "NEWEST",
        ),
    },
    "MessageError": {"errorId": lambda row, info: row["id"]},
    "Note": {
        "noteId": lambda row, info: row["id"],
        "interaction": ref("Interaction", "interaction_id"),
        "author": ref("User", "author_id"),
    },
    "FieldChange": {"beforeNode": _referred("before"), "afterNode": _referred("after")},
    "HistoryEntry": {
        "id": lambda row, info: f"evt_{row['interaction_id']}.{row['position']}",
        "topic": lambda row, info: re.sub(f"^{row['kind']}[.]", "interaction.", row["topic"]).replace(".", "_").upper(),
        "actor": ref("User", "actor_id"),
        "levelBefore": level("level_before"),
        "levelAfter": level("level_after"),
        "message": ref("Message", "message_id"),
        "note": ref("Note", "note_id"),
    },
    "User": {
        **dict.fromkeys(CONTACT_DATA["User"], guarded),
        "hiddenFields": hidden(
            "apiKeys", "grants", "history", "identities", "openSessions", "sessionsEndedAt", of="User"
        ),
        "grants": grants.of_user_if_managed,
        "sessionsEndedAt": lambda row, info: default(row, info) if asking(info).actor.can("users:manage") else None,
        "openSessions": lambda row, info, **arguments: (
            edge("OpenSession", "user_id", BEGAN, "NEWEST")(row, info, **arguments)
            if asking(info).actor.can("users:manage")
            else None
        ),
        "identities": lambda row, info, **arguments: (
            edge("UserIdentity", "user_id", BY_ID, "OLDEST")(row, info, **arguments)
            if asking(info).actor.can("users:manage")
            else None
        ),
        "history": lambda row, info, **arguments: (
            _history(row["id"], info, arguments) if asking(info).actor.can("users:manage") else None
        ),
        "permissions": lambda row, info: permission_names(guarded(row, info)),
        "teams": lambda row, info, **arguments: _joined(
            row, info, "Team", ("user_id", "team_id"), BY_ID, "OLDEST", arguments
        ),
        "presence": lambda row, info: {"present": row["present"], "changed_at": row["presence_changed_at"]},
        "apiKeys": lambda row, info, **arguments: (
            edge("ApiKey", "user_id", NEWEST, "NEWEST")(row, info, **arguments)
            if asking(info).actor.can("users:manage")
            else None
        ),
    },
    "Team": {
        "members": lambda row, info, **arguments: _joined(
            row, info, "User", ("team_id", "user_id"), BY_ID, "OLDEST", arguments
        ),
    },
    "ApiKey": {
        "hiddenFields": hidden("madeBy"),
        "user": ref("User", "user_id"),
        "permissions": lambda row, info: permission_names(default(row, info)),
        "madeBy": lambda row, info: (
            ref("ApiKey", "made_by_id")(row, info) if asking(info).actor.can("users:manage") else None
        ),
        "isCurrent": lambda row, info: row["id"] == asking(info).actor.key_id,
        "grants": grants.of_key,
    },
    "Viewer": {
        "user": ref("User", "user_id"),
        "permissions": lambda row, info: sorted(permission_names(asking(info).actor.permissions) or ()),
        "apiKey": ref("ApiKey", "id"),
        "apiKeys": lambda row, info, **arguments: connection(
            asking(info).many("ApiKey", lambda each: each["user_id"] == row["user_id"]),
            "ApiKey.apiKeys",
            NEWEST,
            "NEWEST",
            arguments,
        ),
        "grants": grants.of_user,
        "openSessions": lambda row, info, **arguments: connection(
            asking(info).many("OpenSession", lambda each: each["user_id"] == row["user_id"]),
            "Viewer.openSessions",
            BEGAN,
            "NEWEST",
            arguments,
        ),
        "identities": lambda row, info, **arguments: connection(
            asking(info).many("UserIdentity", lambda each: each["user_id"] == row["user_id"]),
            "UserIdentity.identities",
            BY_ID,
            "OLDEST",
            arguments,
        ),
        "history": lambda row, info, **arguments: _history(row["user_id"], info, arguments),
    },
    "UserHistoryEntry": {
        "id": lambda row, info: f"evt_{row['lane']}_{row['position']}",
        "topic": lambda row, info: row["topic"].replace(".", "_").upper(),
        "actor": ref("User", "actor_id"),
        "apiKey": ref("ApiKey", "api_key_id"),
        "identity": ref("UserIdentity", "identity_id"),
        "team": ref("Team", "team_id"),
        "permission": lambda row, info: next(
            iter(permission_names(row["permission"] and [row["permission"]]) or ()), None
        ),
    },
    "Customer": {
        **dict.fromkeys(CONTACT_DATA["Customer"], guarded),
        "hiddenFields": hidden(of="Customer"),
        "profile": ref("Profile", "profile_id"),
        "interactions": interactions_of_customer,
    },
    "Profile": {
        **dict.fromkeys(CONTACT_DATA["Profile"], guarded),
        "hiddenFields": hidden(of="Profile"),
        "customers": customers_of_profile,
        "interactions": interactions_of_profile,
    },
    "Session": {
        **INTERACTION,
        "suggestedMessages": edge(
            "SuggestedMessage",
            "session_id",
            {"PLACE": (lambda row: (row["place"], row["id"]), False)},
            "PLACE",
        ),
    },
    "AiAgent": {"sessions": edge("AgentSession", "agent_id", INTERACTIONS, "LATEST_MESSAGE_AT_DESC")},
    "AgentSession": {
        **INTERACTION,
        "agent": ref("AiAgent", "agent_id"),
        "expiresAt": _expires_at,
        "agentKey": lambda row, info: asking(info).world.objects["AiAgent"][row["agent_id"]]["agent_key"],
        "sessionContextUsage": embedded("session_context_usage"),
        "effectiveCompaction": embedded("effective_compaction"),
    },
    "ChannelAgent": {"unreadConversationsCount": _unread_conversations},
    "ChatSession": {
        **INTERACTION,
        "topicId": lambda row, info: asking(info).world.objects["ChatTopic"][row["topic_id"]]["topic_id"],
        "topic": ref("ChatTopic", "topic_id"),
        "transferTo": ref("User", "transfer_to_id"),
        "chatbotIsActive": lambda row, info: row["bot_active"],
        "sessionKey": lambda row, info: "********",
        **{name: embedded(name) for name in ("person", "contact", "project", "sale", "ticket")},
        "tableRight": lambda row, info: table_right(row["status"], may_write=asking(info).writes(row)),
        "fieldProperties": lambda row, info: field_properties(row["status"], may_write=asking(info).writes(row)),
    },
    "ChatTopic": {
        "openingHours": embedded("opening_hours"),
        "queueLength": _queue_length,
        "members": edge("ChatTopicMember", "topic_id", BY_ID, "OLDEST"),
    },
    "ChatTopicMember": {
        "topic": ref("ChatTopic", "topic_id"),
        "user": ref("User", "user_id"),
        "present": _present,
        "ongoingChats": _ongoing,
    },
    "AttentionGroup": {"assignee": ref("User", "assignee_id"), "team": ref("Team", "team_id")},
    "Conversation": {
        **INTERACTION,
        "channelAgent": ref("ChannelAgent", "channel_agent_id"),
        "replyPossible": _reply_possible,
    },
    "ConnectedSystem": CONNECTED_SYSTEM,
    "Delivery": DELIVERY,
    "Grant": grants.GRANT,
    "UserIdentity": grants.IDENTITY,
    "OpenSession": {"user": ref("User", "user_id"), "apiKey": ref("ApiKey", "key_id")},
    "Destination": DESTINATION,
    "OutboxEntry": OUTBOX_ENTRY,
    "Policy": POLICY,
    "Upstream": UPSTREAM,
}
"""The fields that are no column of their own name, by type."""
