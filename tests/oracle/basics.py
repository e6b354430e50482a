"""What the plain resolvers are made of: orders of lists, columns, neighbours, edges."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from app.core.clock import rfc3339
from tests.graph.state import Row
from tests.oracle.connections import Orders, connection
from tests.oracle.world import Asking, parsed

Resolve = Callable[..., Any]

BY_ID: Orders = {"OLDEST": (lambda row: (row["id"],), False)}
NEWEST: Orders = {"NEWEST": (lambda row: (row["id"],), True)}
BEGAN: Orders = {"NEWEST": (lambda row: (row["began_at"], row["id"]), True)}
SENT: Orders = {
    "SENT_AT_ASC": (lambda row: (row["sent_at"], row["id"]), False),
    "SENT_AT_DESC": (lambda row: (row["sent_at"], row["id"]), True),
}
CREATED: Orders = {
    "CREATED_AT_ASC": (lambda row: (row["created_at"], row["id"]), False),
    "CREATED_AT_DESC": (lambda row: (row["created_at"], row["id"]), True),
}
HAPPENED: Orders = {
    "AT_ASC": (lambda row: (row["position"],), False),
    "AT_DESC": (lambda row: (row["position"],), True),
}
INTERACTIONS: Orders = {
    "LATEST_MESSAGE_AT_ASC": (lambda row: (row["last_message_at"] or row["created_at"], row["id"]), False),
    "LATEST_MESSAGE_AT_DESC": (lambda row: (row["last_message_at"] or row["created_at"], row["id"]), True),
    **CREATED,
    "UPDATED_AT_ASC": (lambda row: (row["updated_at"], row["id"]), False),
    "UPDATED_AT_DESC": (lambda row: (row["updated_at"], row["id"]), True),
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
    "Team": "tea",
    "AiAgent": "aia",
    "ChannelAgent": "cha",
    "ChatTopic": "top",
    "ChatTopicMember": "tpm",
    "SuggestedMessage": "sug",
    "ConnectedSystem": "con",
    "ParkedDelivery": "dlv",
    "FailingRead": "frd",
    "OutboxEntry": "obx",
    "Destination": "dst",
    "Delivery": "dsd",
    "Policy": "pol",
    "UserIdentity": "idn",
    "OpenSession": "ops",
}
_JSON = {"metadata", "tool_configurations", "model", "first_step", "steps", "skills", "compaction"}
"""Columns whose JSON is kept as text."""

CONTACT_DATA = {
    "User": ("email", "roles", "permissions"),
    "Customer": (
        *("displayId", "phoneNumber", "unconfirmedPhoneNumber", "countryCode", "email", "firstName", "lastName"),
        *("timeZone", "tags", "shippingRate", "billingAddress", "shippingAddress", "card", "companyName"),
        "confirmedAt",
    ),
    "Profile": (
        *("salutation", "gender", "dateOfBirth", "phoneNumber", "email", "address"),
        *("custom1", "custom2", "custom3", "custom4", "custom5", "customers"),
    ),
}


def default(row: Mapping[str, Any], info: Any, **_arguments: Any) -> Any:
    """The column of the field's name."""
    return _shown(row, re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[a-z])(?=[0-9])", "_", info.field_name).lower())


def of_column(name: str) -> Resolve:
    """The column of another name than the field's."""
    return lambda row, info: _shown(row, name)


def _shown(row: Mapping[str, Any], name: str) -> Any:
    value = row[name]
    if name in _JSON and isinstance(value, str):
        return parsed(value)
    return rfc3339(value) if isinstance(value, datetime) else value


def permission_names(texts: Iterable[str] | None) -> list[str] | None:
    """Stored permissions as the graph's enum names them."""
    return None if texts is None else [text.upper().replace(":", "_") for text in texts]


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


def hidden(*managed: str, of: str = "") -> Resolve:
    """The fields that the caller may not see: contact data of a type, and `managed`, which show with users:manage."""

    def resolve(row: Row, info: Any) -> list[str]:
        actor = asking(info).actor
        unread = () if actor.can("directory:read") else CONTACT_DATA.get(of, ())
        return sorted([*unread, *(() if actor.can("users:manage") else managed)])

    return resolve


def guarded(row: Row, info: Any) -> Any:
    return default(row, info) if asking(info).actor.can("directory:read") else None


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
