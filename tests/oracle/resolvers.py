"""How every object's fields are answered from plain rows: written from the product's description, not from mappings."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.core.clock import rfc3339
from app.interactions.model import Command
from app.kinds.chat_session.model.rights import field_properties, table_right
from tests.graph.state import Row
from tests.oracle.conditions import LEVELS, passes, references
from tests.oracle.connections import Orders, connection
from tests.oracle.world import KIND_TYPES, Asking, parsed

Resolve = Callable[..., Any]

BY_ID: Orders = {"OLDEST": (lambda row: (row["id"],), False)}
NEWEST: Orders = {"NEWEST": (lambda row: (row["id"],), True)}
SENT: Orders = {
    "SENT_ASC": (lambda row: (row["sent_at"], row["id"]), False),
    "SENT_DESC": (lambda row: (row["sent_at"], row["id"]), True),
}
CREATED: Orders = {
    "CREATED_ASC": (lambda row: (row["created_at"], row["id"]), False),
    "CREATED_DESC": (lambda row: (row["created_at"], row["id"]), True),
}
HAPPENED: Orders = {
    "HAPPENED_ASC": (lambda row: (row["position"],), False),
    "HAPPENED_DESC": (lambda row: (row["position"],), True),
}
INTERACTIONS: Orders = {
    "LAST_MESSAGE_DESC": (lambda row: (row["last_message_at"] or row["created_at"], row["id"]), True),
    "CREATED_ASC": (lambda row: (row["created_at"], row["id"]), False),
    "CREATED_DESC": (lambda row: (row["created_at"], row["id"]), True),
    "UPDATED_DESC": (lambda row: (row["updated_at"], row["id"]), True),
}

_PREFIXES = {
    "Session": "ses",
    "AgentSession": "ags",
    "ChatSession": "chs",
    "Conversation": "cnv",
    "Message": "msg",
    "Note": "not",
    "Customer": "cus",
    "Profile": "prf",
    "User": "usr",
    "ApiKey": "key",
    "AiAgent": "aia",
    "ChannelAgent": "cha",
    "ChatTopic": "top",
    "ChatTopicMember": "tpm",
    "SuggestedMessage": "sug",
}
_JSON = {"metadata", "tool_configurations", "model", "first_step", "steps", "skills", "compaction"}
"""Columns whose JSON is kept as text."""

_CONTACT_DATA = {
    "User": ("email", "roles", "permissions"),
    "Customer": (
        *("displayId", "phoneNumber", "unconfirmedPhoneNumber", "countryCode", "email", "firstName", "lastName"),
        *("timeZone", "tags", "shippingRate", "billingAddress", "shippingAddress", "card", "companyName"),
        "confirmedAt",
    ),
    "Profile": (
        *("salutation", "gender", "dateOfBirth", "phoneNumber", "email", "address"),
        *("custom1", "custom2", "custom3", "custom4", "custom5"),
    ),
}


def default(row: Mapping[str, Any], info: Any, **_arguments: Any) -> Any:
    """The column of the field's name."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[a-z])(?=[0-9])", "_", info.field_name).lower()
    value = row[name]
    if name in _JSON and isinstance(value, str):
        return parsed(value)
    return rfc3339(value) if isinstance(value, datetime) else value


def ref(name: str, column: str) -> Resolve:
    """The neighbour whose key is in a column."""
    return lambda row, info: asking(info).one(name, row[column])


def edge(
    name: str, column: str, orders: Orders, order: str, where: Callable[[Row], bool] = lambda row: True
) -> Resolve:
    """The connection of all objects whose column is this one's key."""

    def resolve(row: Row, info: Any, **arguments: Any) -> Any:
        items = asking(info).many(name, lambda each: each[column] == row["id"] and where(each))
        return connection(items, f"{name}.{info.field_name}", orders, order, arguments)

    return resolve


def asking(info: Any) -> Asking:
    """Who asks."""
    found: Asking = info.context
    return found


def global_id(row: Row, info: Any) -> str:
    return f"{_PREFIXES[row['__typename']]}_{row['id']}"


def _guarded(row: Row, info: Any) -> Any:
    return default(row, info) if asking(info).actor.can("directory:read") else None


# ---- interactions -------------------------------------------------------------------------------------------------


def _attention(row: Row, info: Any) -> Row:
    since = row["attention_since"]
    waited = None if since is None else int((asking(info).world.now - since).total_seconds())
    return {
        "__typename": "Attention",
        "needed": row["attention_level"] is not None,
        "reason": row["attention_reason"],
        "reasons": row["attention_reasons"],
        "level": LEVELS.get(row["attention_level"]),
        "since": since,
        "deadline": row["attention_deadline"],
        "acknowledged_by": row["acknowledged_by"],
        "acknowledged_at": row["acknowledged_at"],
        "claimed_by": row["assignee_id"],
        "claimed_until": row["claimed_until"],
        "waiting_seconds": waited,
    }


def _viewers(row: Row, info: Any) -> Sequence[Row]:
    found = asking(info)
    leases = [each for each in found.world.rows["viewer"] if each["interaction_id"] == row["id"]]
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
    return {
        command.lower(): refusal(command, model, found.actor, world.now, world.settings) is None for command in Command
    }


def _history(row: Row, info: Any, **arguments: Any) -> Any:
    items = asking(info).many(
        "HistoryEntry", lambda each: each["interaction_id"] == row["id"] and each["topic"] != "interaction.typing"
    )
    return connection(items, "HistoryEntry.history", HAPPENED, "HAPPENED_DESC", arguments)


def _filtered(info: Any, customers: Collection[int], given: Mapping[str, Any]) -> Any:
    condition = given.get("filter") or {}
    references(condition)
    items = asking(info).many("Interaction", lambda each: each["customer_id"] in customers and passes(each, condition))
    return connection(items, "Interaction.interactions", INTERACTIONS, "LAST_MESSAGE_DESC", given)


def _interactions_of_customer(row: Row, info: Any, **given: Any) -> Any:
    return _filtered(info, (row["id"],), given)


def _interactions_of_profile(row: Row, info: Any, **given: Any) -> Any:
    customers = [each["id"] for each in asking(info).world.all("Customer") if each["profile_id"] == row["id"]]
    return _filtered(info, customers, given)


def _customers(row: Row, info: Any, **given: Any) -> Any:
    if not asking(info).actor.can("directory:read"):
        return None
    return edge("Customer", "profile_id", BY_ID, "OLDEST")(row, info, **given)


def _level(column: str) -> Resolve:
    return lambda row, info: LEVELS.get(row[column])


_INTERACTION: Mapping[str, Resolve] = {
    "kind": lambda row, info: row["kind"].upper(),
    "customer": ref("Customer", "customer_id"),
    "assignee": ref("User", "assignee_id"),
    "attention": _attention,
    "messages": edge("Message", "interaction_id", SENT, "SENT_ASC"),
    "latestMessage": ref("Message", "latest_message_id"),
    "latestCustomerMessage": ref("Message", "latest_customer_message_id"),
    "notes": edge("Note", "interaction_id", CREATED, "CREATED_DESC"),
    "latestNote": ref("Note", "latest_note_id"),
    "history": _history,
    "viewers": _viewers,
    "viewerCan": _viewer_can,
    "user": ref("User", "assignee_id"),
}


# ---- messages -----------------------------------------------------------------------------------------------------


def _contents(row: Row, info: Any) -> Sequence[Row]:
    return [{"__typename": f"{each['type'].capitalize()}MessageContent", **each} for each in row["contents"]]


def _campaign(row: Row, info: Any) -> Row | None:
    if row["campaign_name"] is None:
        return None
    return {"__typename": "Campaign", "campaign_id": row["campaign_id"], "name": row["campaign_name"]}


# ---- the kinds ----------------------------------------------------------------------------------------------------


def _unread_conversations(row: Row, info: Any) -> int:
    return sum(
        each["channel_agent_id"] == row["id"] and each["unread_customer_messages_count"] > 0
        for each in asking(info).world.all("Conversation")
    )


def _queue_length(row: Row, info: Any) -> int:
    chats = asking(info).world.all("ChatSession")
    return sum(each["topic_id"] == row["id"] and each["status"] == "IN_QUEUE" for each in chats)


def _present(row: Row, info: Any) -> bool:
    user = asking(info).world.objects["User"][row["user_id"]]
    return bool(user["present"] and user["active"])


def _ongoing(row: Row, info: Any) -> int:
    active = ("CUSTOMER_LAST", "USER_LAST")
    chats = asking(info).world.all("ChatSession")
    return sum(each["assignee_id"] == row["user_id"] and each["status"] in active for each in chats)


def _reply_possible(row: Row, info: Any) -> bool:
    world = asking(info).world
    agent = world.objects["ChannelAgent"][row["channel_agent_id"]]
    customer = world.objects["Customer"].get(row["customer_id"])
    profile = world.objects["Profile"].get(customer["profile_id"]) if customer else None
    if not agent["in_sync"] or (profile is not None and profile["blocked"]) or row["customer_interaction_required"]:
        return False
    return row["channel"] != "WHATSAPP" or (row["reply_until"] is not None and row["reply_until"] > world.now)


class Loose(dict[str, Any]):
    """A stored JSON object; what it does not name is null."""

    def __missing__(self, key: str) -> None:
        return None


def embedded(name: str) -> Resolve:
    """The objects in a JSON column."""

    def resolve(row: Row, info: Any) -> Any:
        value = row[name]
        if isinstance(value, list):
            return [Loose(each) for each in value]
        return None if value is None else Loose(value)

    return resolve


FIELDS: Mapping[str, Mapping[str, Resolve]] = {
    **dict.fromkeys(KIND_TYPES.values(), _INTERACTION),
    "Attention": {"acknowledgedBy": ref("User", "acknowledged_by"), "claimedBy": ref("User", "claimed_by")},
    "InteractionViewer": {"user": ref("User", "user")},
    "Message": {
        "messageId": lambda row, info: row["id"],
        "senderRole": lambda row, info: {"CUSTOMER": "END_USER", "USER": "AGENT"}.get(row["author"], "BOT"),
        "interaction": ref("Interaction", "interaction_id"),
        "user": ref("User", "user_id"),
        "contents": _contents,
        "reference": ref("Message", "reference_id"),
        "campaign": _campaign,
        "latestError": ref("MessageError", "latest_error_id"),
        "errors": edge(
            "MessageError",
            "message_id",
            {"CREATED_DESC": (lambda row: (row["created_at"], row["id"]), True)},
            "CREATED_DESC",
        ),
    },
    "MessageError": {"errorId": lambda row, info: row["id"]},
    "Note": {
        "noteId": lambda row, info: row["id"],
        "interaction": ref("Interaction", "interaction_id"),
        "author": ref("User", "author_id"),
    },
    "HistoryEntry": {
        "actor": ref("User", "actor_id"),
        "levelBefore": _level("level_before"),
        "levelAfter": _level("level_after"),
        "message": ref("Message", "message_id"),
        "note": ref("Note", "note_id"),
    },
    "User": {
        **dict.fromkeys(_CONTACT_DATA["User"], _guarded),
        "presence": lambda row, info: {"present": row["present"], "changed_at": row["presence_changed_at"]},
        "apiKeys": lambda row, info, **arguments: (
            edge("ApiKey", "user_id", NEWEST, "NEWEST")(row, info, **arguments)
            if asking(info).actor.can("users:manage")
            else None
        ),
    },
    "ApiKey": {
        "user": ref("User", "user_id"),
        "isCurrent": lambda row, info: row["id"] == asking(info).actor.key_id,
    },
    "Viewer": {
        "user": ref("User", "user_id"),
        "permissions": lambda row, info: sorted(asking(info).actor.permissions),
        "apiKey": ref("ApiKey", "id"),
        "apiKeys": lambda row, info, **arguments: connection(
            asking(info).many("ApiKey", lambda each: each["user_id"] == row["user_id"]),
            "ApiKey.apiKeys",
            NEWEST,
            "NEWEST",
            arguments,
        ),
    },
    "Customer": {
        **dict.fromkeys(_CONTACT_DATA["Customer"], _guarded),
        "profile": ref("Profile", "profile_id"),
        "interactions": _interactions_of_customer,
    },
    "Profile": {
        **dict.fromkeys(_CONTACT_DATA["Profile"], _guarded),
        "customers": _customers,
        "interactions": _interactions_of_profile,
    },
    "Session": {
        **_INTERACTION,
        "suggestedMessages": edge(
            "SuggestedMessage",
            "session_id",
            {"PLACE": (lambda row: (row["place"], row["id"]), False)},
            "PLACE",
        ),
    },
    "AiAgent": {"sessions": edge("AgentSession", "agent_id", INTERACTIONS, "LAST_MESSAGE_DESC")},
    "AgentSession": {
        **_INTERACTION,
        "agent": ref("AiAgent", "agent_id"),
        "expiresAt": lambda row, info: (
            rfc3339(row["updated_at"] + timedelta(minutes=row["tti_minutes"])) if row["tti_minutes"] else None
        ),
        "agentKey": lambda row, info: asking(info).world.objects["AiAgent"][row["agent_id"]]["agent_key"],
        "sessionContextUsage": embedded("session_context_usage"),
        "effectiveCompaction": embedded("effective_compaction"),
    },
    "ChannelAgent": {"unreadConversationsCount": _unread_conversations},
    "ChatSession": {
        **_INTERACTION,
        "topicId": lambda row, info: asking(info).world.objects["ChatTopic"][row["topic_id"]]["topic_id"],
        "topic": ref("ChatTopic", "topic_id"),
        "transferTo": ref("User", "transfer_to_id"),
        "chatbotIsActive": lambda row, info: row["bot_active"],
        "sessionKey": lambda row, info: "********",
        **{name: embedded(name) for name in ("person", "contact", "project", "sale", "ticket")},
        "tableRight": lambda row, info: table_right(asking(info).actor, row["status"]),
        "fieldProperties": lambda row, info: field_properties(asking(info).actor, row["status"]),
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
    "AttentionGroup": {"assignee": ref("User", "assignee_id")},
    "Conversation": {
        **_INTERACTION,
        "channelAgent": ref("ChannelAgent", "channel_agent_id"),
        "replyPossible": _reply_possible,
    },
}
"""The fields that are no column of their own name, by type."""
