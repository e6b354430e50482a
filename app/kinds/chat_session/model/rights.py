"""The contract's TableRight and FieldProperties of chats."""

from enum import StrEnum
from typing import TypedDict

from app.kinds.chat_session.model.limits import LENGTHS
from app.kinds.chat_session.model.session import KIND, ChatSessionStatus
from app.kinds.chat_session.model.transitions import MESSAGE_COPY


class TableRightMask(StrEnum):
    """One of the contract's ETableRight flags."""

    SELECT = "SELECT"
    UPDATE = "UPDATE"
    INSERT = "INSERT"
    DELETE = "DELETE"


class FieldRight(StrEnum):
    """Whether a field can be read alone, or also changed."""

    READ = "READ"
    UPDATE = "UPDATE"


class TableRight(TypedDict):
    """What the caller may do with a chat, and why not more."""

    mask: list[str]
    reason: str | None


class FieldProperty(TypedDict):
    """What the caller may do with a field. `type` is the contract's .NET type, `length` the most characters."""

    name: str
    right: str
    type: str
    length: int | None


_TEXT, _INT, _BOOL, _TIME = "System.String", "System.Int32", "System.Boolean", "System.DateTime"
_TYPES = {
    "chatSessionId": _INT,
    "topicId": _INT,
    "user": "Associate",
    "person": "Person",
    "customerAlias": _TEXT,
    "customerHost": _TEXT,
    "customerName": _TEXT,
    "customerEmail": _TEXT,
    "customerPhone": _TEXT,
    "customerConsented": _BOOL,
    "customerCompanyName": _TEXT,
    "status": "ChatSessionStatus",
    "firstMessage": _TEXT,
    "lastMessage": _TEXT,
    "whenRequested": _TIME,
    "whenStarted": _TIME,
    "whenEnded": _TIME,
    "whenIdle": _TIME,
    "whenFetched": _TIME,
    "sessionKey": _TEXT,
    "initialQueuePos": _INT,
    "alertLevel": _INT,
    "rank": _INT,
    "flags": "ChatSessionFlags",
    "contact": "Contact",
    "project": "Project",
    "sale": "Sale",
    "ticket": "Ticket",
    "transferTo": "Associate",
    "chatbotIsActive": _BOOL,
    "rating": _INT,
}
READ_ONLY = frozenset(
    {
        "chatSessionId",
        "user",
        "firstMessage",
        "lastMessage",
        "whenRequested",
        "whenStarted",
        "whenEnded",
        "whenIdle",
        "whenFetched",
        "sessionKey",
        "initialQueuePos",
        "rank",
        "transferTo",
    }
)
"""The contract's fields, in camelCase, that an update never writes."""

_LIMITS = {
    **{
        "".join(part.capitalize() if place else part for place, part in enumerate(name.split("_"))): limit
        for name, limit in LENGTHS.items()
    },
    "firstMessage": MESSAGE_COPY,
    "lastMessage": MESSAGE_COPY,
    "sessionKey": 255,
}


def table_right(status: str, *, may_write: bool) -> TableRight:
    """What a caller may do with a chat of this status, depending on whether the caller may write the chat."""
    if not may_write:
        return {"mask": [TableRightMask.SELECT], "reason": f"This needs the permission {KIND}:write."}
    if status == ChatSessionStatus.DELETED:
        return {"mask": [TableRightMask.SELECT], "reason": "The chat is deleted."}
    return {"mask": list(TableRightMask), "reason": None}


def field_properties(status: str, *, may_write: bool) -> list[FieldProperty]:
    """What may be done with every field of a chat of this status, in the contract's order; arguments as for
    `table_right`."""
    may_update = TableRightMask.UPDATE in table_right(status, may_write=may_write)["mask"]
    return [
        {
            "name": name,
            "right": FieldRight.UPDATE if may_update and name not in READ_ONLY else FieldRight.READ,
            "type": type_,
            "length": _LIMITS.get(name),
        }
        for name, type_ in _TYPES.items()
    ]
