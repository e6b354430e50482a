"""How the root fields are answered from plain rows."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from app.core.text import terms
from app.settings.showing import shown_settings
from tests.graph.state import Row
from tests.oracle.basics import BY_ID, INTERACTIONS, NEWEST, Resolve, asking
from tests.oracle.conditions import LEVELS, as_asked, number_of, passes, references
from tests.oracle.connections import Orders, connection, refuse
from tests.oracle.counting import interaction_counts
from tests.oracle.searching import finds_customer, finds_message, found_by, meets
from tests.oracle.world import END_OF_LOG, ID, KIND_TYPES, PREFIXES, Asking

_INTERACTION_PREFIXES = {prefix for prefix, name in PREFIXES.items() if name in KIND_TYPES.values()}
_NEEDS = {
    **dict.fromkeys(("customer", "customers", "profile", "profiles"), "directory:read"),
    **dict.fromkeys(("session", "currentSession"), "session:read"),
    **dict.fromkeys(("agentSession", "aiAgent", "aiAgents"), "agent_session:read"),
    **dict.fromkeys(("chatSession", "chatQueue", "chatTopic", "chatTopics"), "chat_session:read"),
    **dict.fromkeys(("conversation", "channelAgent", "channelAgents"), "conversation:read"),
    **dict.fromkeys(("connection", "connections"), "connections:manage"),
    **dict.fromkeys(("destination", "destinations", "deliveries", "policy", "policies"), "destinations:manage"),
    "settings": "settings:read",
}
"""The permission of each root field that needs one."""


def _by_id(name: str, prefix: str) -> Resolve:
    return lambda found, id: found.one(name, number_of(id, prefix))


def _by_key(name: str, prefix: str, argument: str, column: str) -> Resolve:
    """By the global id or by the contract's own key: exactly one."""

    def resolve(found: Asking, id: str | None = None, **given: Any) -> Row | None:
        key = given.get(argument)
        if (id is None) == (key is None):
            raise refuse("INVALID_INPUT")
        if id is not None:
            return found.one(name, number_of(id, prefix))
        return next(iter(found.many(name, lambda row: row[column] == key)), None)

    return resolve


def _only(name: str, **columns: str) -> Resolve:
    """The one object whose columns equal the arguments."""

    def resolve(found: Asking, **given: Any) -> Row | None:
        matches = found.many(name, lambda row: all(row[columns[each]] == given[each] for each in columns))
        return matches[0] if matches else None

    return resolve


def _users(found: Asking, search: str | None = None, **given: Any) -> Any:
    wanted = {name: given[name] for name in ("present", "active") if given.get(name) is not None}
    items = found.many(
        "User", lambda row: found_by(row, search) and all(row[name] is value for name, value in wanted.items())
    )
    return connection(items, "users", BY_ID, "OLDEST", given)


def _customers(found: Asking, search: str | None = None, system: str | None = None, **given: Any) -> Any:
    profile = None if given.get("profileId") is None else number_of(given["profileId"], "prf")
    items = found.many(
        "Customer",
        lambda row: found_by(row, search) and system in (None, row["system"]) and profile in (None, row["profile_id"]),
    )
    return connection(items, "customers", NEWEST, "NEWEST", given)


def _profiles(found: Asking, search: str | None = None, **given: Any) -> Any:
    return connection(found.many("Profile", lambda row: found_by(row, search)), "profiles", NEWEST, "NEWEST", given)


def _teams(found: Asking, **given: Any) -> Any:
    return connection(found.many("Team"), "teams", BY_ID, "OLDEST", given)


def _nodes(found: Asking, ids: Sequence[str]) -> Sequence[Row | None]:
    return [found.node(each) for each in ids]


def _viewer(found: Asking) -> Row | None:
    key = found.one("ApiKey", found.actor.key_id)
    return None if key is None else {**key, "__typename": "Viewer"}


# ---- interactions -------------------------------------------------------------------------------------------------


def _interaction(found: Asking, id: str) -> Row | None:
    match = ID.fullmatch(id)
    return found.node(id) if match is not None and match[1] in _INTERACTION_PREFIXES else None


def _interactions(found: Asking, filter: Mapping[str, Any] | None = None, **given: Any) -> Any:
    references(filter)
    items = found.many("Interaction", lambda row: passes(row, filter or {}))
    return connection(items, "interactions", INTERACTIONS, "LATEST_MESSAGE_AT_DESC", given)


QUEUE: Orders = {"QUEUE": (lambda row: (row["attention_level"], row["attention_since"], row["id"]), False)}


def _attention_queue(found: Asking, filter: Mapping[str, Any] | None = None, **given: Any) -> Any:
    references(filter)
    items = found.many(
        "Interaction", lambda row: row["attention_level"] is not None and passes(as_asked(row), filter or {})
    )
    return connection(items, "attentionQueue", QUEUE, "QUEUE", given)


def _attention_summary(found: Asking, groupBy: str) -> Row:  # noqa: N803 - the argument's name
    column = {"KIND": "kind", "REASON": "attention_reason", "LEVEL": "attention_level", "ASSIGNEE": "assignee_id"}
    column["TEAM"] = "team_id"
    name = {"KIND": "kind", "REASON": "reason", "LEVEL": "level", "ASSIGNEE": "assignee_id", "TEAM": "team_id"}[groupBy]
    needed = found.many("Interaction", lambda row: row["attention_level"] is not None)
    groups: dict[Any, list[Row]] = {}
    for row in needed:
        groups.setdefault(as_asked(row)[column[groupBy]] or None, []).append(row)

    def shown(key: Any) -> Any:
        return LEVELS[key] if groupBy == "LEVEL" else key.upper() if groupBy == "KIND" else key

    empty = dict.fromkeys(("kind", "reason", "level", "assignee_id", "team_id"))
    return {
        "count": len(needed),
        "oldest_since": min((row["attention_since"] for row in needed), default=None),
        "groups": [
            {
                **empty,
                name: shown(key),
                "count": len(rows),
                "oldest_since": min(row["attention_since"] for row in rows),
            }
            for key, rows in sorted(groups.items(), key=lambda item: (item[0] is None, item[0]))
        ],
        "listeners": sum(
            each["listeners"]
            for each in found.world.rows["watch"]
            if not each["subject"] and each["until"] > found.world.now
        ),
    }


def _chat_queue(found: Asking, topicId: int | None = None, **given: Any) -> Any:  # noqa: N803
    topics = {row["id"]: row["topic_id"] for row in found.many("ChatTopic")}
    items = found.many(
        "ChatSession", lambda row: row["status"] == "IN_QUEUE" and topicId in (None, topics[row["topic_id"]])
    )
    return connection(items, "chatQueue", QUEUE, "QUEUE", given)


def _chat_topics(found: Asking, **given: Any) -> Any:
    return connection(found.many("ChatTopic"), "chatTopics", BY_ID, "OLDEST", given)


def _search_messages(found: Asking, text: str, kinds: Sequence[str] | None = None, **given: Any) -> Any:
    wanted = terms(text)
    if not 1 <= len(wanted) <= 32:
        raise refuse("INVALID_INPUT")

    def matches(row: Row) -> bool:
        return (kinds is None or row["kind"].upper() in kinds) and meets(row["text"], wanted)

    return connection(found.many("Message", matches), "searchMessages", NEWEST, "NEWEST", given)


_KEYS = {
    "session": "session_key",
    "agent_session": "agent_session_key",
    "chat_session": "chat_session_id",
    "conversation": "conversation_id",
}


def _search_interactions(found: Asking, text: str, filter: Mapping[str, Any] | None = None, **given: Any) -> Any:
    references(filter)
    plain = text.strip().removeprefix("#")
    if not 1 <= len(terms(plain)) <= 32:
        raise refuse("INVALID_INPUT")
    prefixes = {name: prefix for prefix, name in PREFIXES.items()}
    customers, spoken = (
        set(),
        {row["interaction_id"] for row in found.many("Message", lambda row: finds_message(row, plain))},
    )
    if found.actor.can("directory:read"):
        customers = {row["id"] for row in found.many("Customer", lambda row: finds_customer(row, plain))}

    def matches(row: Row) -> bool:
        keys = (str(row[_KEYS[row["kind"]]]), f"{prefixes[row['__typename']]}_{row['id']}")
        is_found = keys[0] in (plain, plain.lower()) or keys[1] == plain
        return passes(row, filter or {}) and (is_found or row["customer_id"] in customers or row["id"] in spoken)

    order = {"LATEST_MESSAGE_AT_DESC": INTERACTIONS["LATEST_MESSAGE_AT_DESC"]}
    return connection(found.many("Interaction", matches), "searchInteractions", order, "LATEST_MESSAGE_AT_DESC", given)


def _events(found: Asking, after: str | None = None, first: int | None = None) -> Row:
    if after is not None:
        raise LookupError("the pages of the log have tests of their own")
    if first is not None and not 1 <= first <= 100:
        raise refuse("INVALID_INPUT")
    return {"__typename": "EventPage", "events": [], "cursor": END_OF_LOG, "has_more": False}


def _current_session(found: Asking, customerKey: str) -> Row | None:  # noqa: N803 - the argument's name
    world = found.world
    customers = [row["id"] for row in world.all("Customer") if row["customer_key"] == customerKey]
    since = world.now - world.settings.session_window

    def active(row: Row) -> datetime:
        at: datetime = row["last_message_at"] or row["created_at"]
        return at

    current = found.many(
        "Session",
        lambda row: row["customer_id"] in customers and (row["need_attention"] or active(row) > since),
    )
    return max(current, key=lambda row: (active(row), row["id"]), default=None)


def _agent_session(found: Asking, agentKey: str, agentSessionKey: str) -> Row | None:  # noqa: N803
    agents = {row["id"] for row in found.many("AiAgent", lambda row: row["agent_key"] == agentKey)}
    matches = found.many(
        "AgentSession", lambda row: row["agent_id"] in agents and row["agent_session_key"] == agentSessionKey
    )
    return matches[0] if matches else None


def _ai_agents(found: Asking, enabled: bool | None = None, **given: Any) -> Any:
    items = found.many("AiAgent", lambda row: enabled in (None, row["enabled"]))
    return connection(items, "aiAgents", BY_ID, "OLDEST", given)


def _channel_agents(found: Asking, channel: str | None = None, **given: Any) -> Any:
    items = found.many("ChannelAgent", lambda row: channel in (None, row["channel"]))
    return connection(items, "channelAgents", BY_ID, "OLDEST", given)


def _connections(found: Asking, **given: Any) -> Any:
    return connection(found.many("ConnectedSystem"), "connections", BY_ID, "OLDEST", given)


def _destinations(found: Asking, state: str | None = None, **given: Any) -> Any:
    items = found.many("Destination", lambda row: state in (None, row["state"]))
    return connection(items, "destinations", BY_ID, "OLDEST", given)


def _deliveries(found: Asking, destinationId: str | None = None, status: str | None = None, **given: Any) -> Any:  # noqa: N803
    of = None if destinationId is None else number_of(destinationId, "dst")
    items = found.many("Delivery", lambda row: of in (None, row["destination_id"]) and status in (None, row["status"]))
    return connection(items, "deliveries", NEWEST, "NEWEST", given)


def _settings(found: Asking) -> Sequence[Row]:
    # What is shown of each has tests of its own: tests/test_settings.py.
    shown = shown_settings(found.world.settings)
    return [{"__typename": "Setting", **asdict(each), "source": each.source.value} for each in shown]


ROOTS: Mapping[str, Resolve] = {
    "node": lambda found, id: found.node(id),
    "nodes": _nodes,
    "viewer": _viewer,
    "user": _by_id("User", "usr"),
    "users": _users,
    "customer": _by_key("Customer", "cus", "customerKey", "customer_key"),
    "customers": _customers,
    "profile": _by_id("Profile", "prf"),
    "profiles": _profiles,
    "team": _by_id("Team", "tea"),
    "teams": _teams,
    "interaction": _interaction,
    "interactions": _interactions,
    "attentionQueue": _attention_queue,
    "attentionSummary": _attention_summary,
    "interactionCounts": interaction_counts,
    "searchInteractions": _search_interactions,
    "searchMessages": _search_messages,
    "events": _events,
    "session": _only("Session", sessionKey="session_key"),
    "currentSession": _current_session,
    "agentSession": _agent_session,
    "aiAgent": _by_key("AiAgent", "aia", "agentKey", "agent_key"),
    "aiAgents": _ai_agents,
    "conversation": _only("Conversation", conversationId="conversation_id"),
    "channelAgent": _by_id("ChannelAgent", "cha"),
    "channelAgents": _channel_agents,
    "chatSession": _only("ChatSession", chatSessionId="chat_session_id"),
    "chatQueue": _chat_queue,
    "chatTopic": _by_id("ChatTopic", "top"),
    "chatTopics": _chat_topics,
    "connection": _by_id("ConnectedSystem", "con"),
    "connections": _connections,
    "destination": _by_id("Destination", "dst"),
    "destinations": _destinations,
    "policy": _by_id("Policy", "pol"),
    "policies": lambda found, **given: connection(found.many("Policy"), "policies", BY_ID, "OLDEST", given),
    "deliveries": _deliveries,
    "settings": _settings,
}


def root(name: str) -> Resolve:
    """The resolver of a root field, behind the permission that it needs."""
    answer = ROOTS[name]
    needed = _NEEDS.get(name)

    def resolve(_query: None, info: Any, **arguments: Any) -> Any:
        found = asking(info)
        if needed is not None and not found.can(needed):
            raise refuse("FORBIDDEN")
        return answer(found, **arguments)

    return resolve
