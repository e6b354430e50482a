"""The stored rows as Python objects, found again by key, kind and owner: what the plain resolvers answer from."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from app.core.actor import Actor
from app.settings import Settings
from tests.graph.people import reaches
from tests.graph.state import Row, Rows

KIND_TYPES = {
    "session": "Session",
    "agent_session": "AgentSession",
    "chat_session": "ChatSession",
    "conversation": "Conversation",
}
PREFIXES = {
    "ses": "Session",
    "ags": "AgentSession",
    "chs": "ChatSession",
    "cnv": "Conversation",
    "msg": "Message",
    "not": "Note",
    "cus": "Customer",
    "prf": "Profile",
    "usr": "User",
    "aia": "AiAgent",
    "cha": "ChannelAgent",
    "top": "ChatTopic",
    "tpm": "ChatTopicMember",
    "con": "ConnectedSystem",
    "dlv": "ParkedDelivery",
    "frd": "FailingRead",
    "tea": "Team",
    "obx": "OutboxEntry",
    "dst": "Destination",
    "dsd": "Delivery",
    "pol": "Policy",
    "idn": "UserIdentity",
    "ops": "OpenSession",
}
"""What `node` finds, by the prefix of its id."""

TABLES = {
    "Message": "message",
    "MessageError": "message_error",
    "Note": "note",
    "Customer": "customer",
    "Profile": "profile",
    "User": "app_user",
    "ApiKey": "api_key",
    "UserIdentity": "user_identity",
    "OpenSession": "open_session",
    "Team": "team",
    "AiAgent": "ai_agent",
    "ChannelAgent": "channel_agent",
    "ChatTopic": "chat_topic",
    "ChatTopicMember": "chat_topic_member",
    "SuggestedMessage": "suggested_message",
    "ConnectedSystem": "connected_system",
    "ParkedDelivery": "inbox",
    "FailingRead": "dirty",
    "OutboxEntry": "outbox",
    "Destination": "destination",
    "Delivery": "delivery",
    "Policy": "policy",
    "Upstream": "mirrored",
}
_NEEDED = {
    "AiAgent": "agent_session:read",
    "ChannelAgent": "conversation:read",
    "ChatTopic": "chat_session:read",
    "ChatTopicMember": "chat_session:read",
    "SuggestedMessage": "session:read",
    "ConnectedSystem": "connections:manage",
    "ParkedDelivery": "connections:manage",
    "FailingRead": "connections:manage",
    "Destination": "destinations:manage",
    "Delivery": "destinations:manage",
    "Policy": "destinations:manage",
}
END_OF_LOG = "the end of the event log"
"""Stands for the cursor there, which is another one in each database."""
ID = re.compile(r"([a-z]{3})_([1-9][0-9]{0,18})")


@dataclass
class World:
    """All objects by type and key. `models` are the interactions as the kinds' own repositories load them."""

    rows: Rows
    settings: Settings
    now: datetime
    models: Mapping[int, Any]
    refusals: Mapping[str, Callable[..., Any]]
    objects: dict[str, dict[int, Row]] = field(default_factory=dict)
    _interactions: dict[int, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, table in TABLES.items():
            self.objects[name] = {row["id"]: {"__typename": name, **row} for row in self.rows[table]}
        for kind, name in KIND_TYPES.items():
            own = {row["id"]: row for row in self.rows[kind]}
            self.objects[name] = {
                # What the common row repeats of the kind's own is not asked.
                row["id"]: {"__typename": name, **row, **own[row["id"]]}
                for row in self.rows["interaction"]
                if row["kind"] == kind
            }
        for name in KIND_TYPES.values():
            self._interactions.update(self.objects[name])
        self.objects["HistoryEntry"] = {
            index: {"__typename": "HistoryEntry", **row, **_told(row)}
            for index, row in enumerate(self.rows["event_log"])
            if row["interaction_id"] is not None
        }
        self.objects["UserHistoryEntry"] = {
            index: {"__typename": "UserHistoryEntry", **row, **_told_of_user(row)}
            for index, row in enumerate(self.rows["event_log"])
            if row["interaction_id"] is None and row["assignee_id"] is not None
        }

    def all(self, name: str) -> list[Row]:
        """Every object of a type; "Interaction" is all kinds."""
        if name != "Interaction":
            return list(self.objects[name].values())
        return [row for kind in KIND_TYPES.values() for row in self.objects[kind].values()]

    def interaction(self, key: int | None) -> Row | None:
        return self._interactions.get(key or 0)


@dataclass(frozen=True)
class Asking:
    """One actor who asks."""

    world: World
    actor: Actor

    def sees(self, row: Row | None) -> bool:
        """Whether the actor may see this object at all."""
        if row is None:
            return False
        name = row["__typename"]
        if row.get("deleted_at") is not None or (name == "ParkedDelivery" and row["state"] != "PARKED"):
            return False
        if name == "FailingRead" and row["attempts"] < 4:
            return False
        if name == "OutboxEntry":
            return self.sees(self.world.interaction(row["interaction_id"]))
        if name in _NEEDED:
            if not self.can(_NEEDED[name]):
                return False
            return name != "SuggestedMessage" or self.sees(self.world.objects["Session"].get(row["session_id"]))
        kind = row.get("kind")
        if not isinstance(kind, str):
            return True
        of = row if name in KIND_TYPES.values() else self.world.interaction(row["interaction_id"])
        return self.actor.can(f"{kind}:read") or (
            of is not None and reaches(self.actor, "read", kind, of["team_id"], of["assignee_id"])
        )

    def writes(self, of: Row) -> bool:
        """Whether the actor may change this interaction."""
        return reaches(self.actor, "write", of["kind"], of["team_id"], of["assignee_id"])

    def can(self, permission: str) -> bool:
        """Whether the actor holds the permission; to read, in any of its forms."""
        return any(self.actor.can(each) for each in (permission, f"{permission}:team", f"{permission}:own"))

    def one(self, name: str, key: int | None) -> Row | None:
        """The object of a key, if there is one that the actor may see."""
        if key is None:
            return None
        found = self.world.interaction(key) if name == "Interaction" else self.world.objects[name].get(key)
        return found if self.sees(found) else None

    def many(self, name: str, matches: Callable[[Row], bool] = lambda row: True) -> list[Row]:
        """Every object that matches and that the actor may see."""
        return [row for row in self.world.all(name) if self.sees(row) and matches(row)]

    def node(self, text: str) -> Row | None:
        """What `node` finds."""
        match = ID.fullmatch(text)
        if match is None or match[1] not in PREFIXES:
            return None
        if match[1] in ("cus", "prf") and not self.actor.can("directory:read"):
            return None
        if match[1] in ("idn", "ops") and not self.actor.can("users:manage"):
            return None
        return self.one(PREFIXES[match[1]], int(match[2]))


def parsed(text: str | None) -> Any:
    """A stored JSON text as what it says."""
    return None if text is None else orjson.loads(text)


def _told(row: Row) -> Row:
    data: Mapping[str, Any] = parsed(row["data"])
    changes: Sequence[Any] = data.get("changes") or []
    return {"changes": changes, "message_id": data.get("message_id"), "note_id": data.get("note_id")}


def _told_of_user(row: Row) -> Row:
    data: Mapping[str, Any] = parsed(row["data"])
    names = ("api_key_id", "identity_id", "team_id", "issuer", "reason", "permission", "times")
    return {"changes": data.get("changes") or [], **{name: data.get(name) for name in names}}
