"""The contract's reads, and their wire format."""

from collections.abc import Mapping
from typing import Any

from app.core.paging import Page
from app.kinds.session.rest.answers import (
    CountedSuggestedMessage,
    Customer,
    EmbeddedMessage,
    Message,
    Role,
    Session,
    SuggestedMessage,
)
from app.rest import leaf, listed, one, picks, root

MOST_MESSAGES = 1_000
"""How many of its newest messages a session contains."""

_ROLES: Mapping[str, Role] = {"END_USER": "end-user", "AGENT": "agent", "BOT": "bot"}

_MESSAGE = tuple(map(leaf, ("messageKey", "text", "senderRole", "sentAt", "deliveredAt", "createdAt", "updatedAt")))
_SUGGESTION = tuple(map(leaf, ("suggestionKey", "remoteId", "content", "selectedCount")))
_SESSION = (
    leaf("sessionKey"),
    one("customer", "Customer", (leaf("customerKey"),)),
    leaf("needAttention"),
    leaf("tags"),
    leaf("topics"),
    listed("messages", "Message", _MESSAGE, page=Page(size=MOST_MESSAGES, backward=True)),
    listed("suggestedMessages", "SuggestedMessage", _SUGGESTION),
    leaf("createdAt"),
    leaf("updatedAt"),
)
_CUSTOMER = tuple(
    map(
        leaf,
        (
            *(
                "customerKey",
                "system",
                "phoneNumber",
                "countryCode",
                "email",
                "firstName",
                "lastName",
                "timeZone",
                "tags",
            ),
            *("shippingRate", "unsubscribed", "billingAddress", "shippingAddress", "card", "confirmedAt", "createdAt"),
            "updatedAt",
        ),
    )
)

SESSION = root(one("session", "Session", _SESSION, **picks("session_key")))
CURRENT = root(one("currentSession", "Session", _SESSION, **picks("customer_key")))
OF_CUSTOMER = root(
    one(
        "sessionContractSessions",
        "SessionContractSessions",
        (one("sessions", "Session", _SESSION),),
        **picks("customer_key", "limit", "offset"),
    )
)
MESSAGES = root(
    one(
        "sessionContractMessages",
        "SessionContractMessages",
        (one("messages", "Message", _MESSAGE),),
        **picks("session_key", "limit", "offset"),
    )
)
_OWN_SESSION = one("interaction", "Session", (leaf("sessionKey"),))
MESSAGE = root(one("node", "Message", (*_MESSAGE, _OWN_SESSION), **picks("id")))
SUGGESTION = root(one("sessionContractSuggestion", "SuggestedMessage", _SUGGESTION, **picks("suggestion_key")))
CUSTOMER = root(one("customer", "Customer", _CUSTOMER, **picks("customer_key")))
WITH_NUMBER = root(
    one(
        "sessionContractCustomers",
        "SessionContractCustomers",
        (one("customers", "Customer", _CUSTOMER),),
        **picks("phone_number"),
    )
)


def session(found: Mapping[str, Any]) -> Session:
    """A session with its messages, the oldest first, and what is suggested in it."""
    key = found["sessionKey"]
    return {
        "id": key,
        "customer_id": found["customer"]["customerKey"],
        "need_attention": found["needAttention"],
        "tags": found["tags"],
        "topics": found["topics"],
        "messages": [embedded(each, key) for each in found["messages"]["nodes"]],
        "suggested_messages": [_suggested(each) for each in found["suggestedMessages"]["nodes"]],
        "created_at": milliseconds(found["createdAt"]),
        "updated_at": milliseconds(found["updatedAt"]),
    }


def embedded(found: Mapping[str, Any], session_key: str) -> EmbeddedMessage:
    """A message within its session."""
    return {
        "id": found["messageKey"],
        "session_id": session_key,
        "content": found["text"] or "",
        "content_type": "text",
        "sender_role": _ROLES[found["senderRole"]],
        "sent_at": milliseconds(found["sentAt"]),
        "created_at": milliseconds(found["createdAt"]),
    }


def message(found: Mapping[str, Any], session_key: str) -> Message:
    """A message by itself."""
    return {
        "id": found["messageKey"],
        "session_id": session_key,
        "content": found["text"] or "",
        "content_type": "text",
        "sender_role": _ROLES[found["senderRole"]],
        "sent_at": milliseconds(found["sentAt"]),
        "delivered_at": None if found["deliveredAt"] is None else milliseconds(found["deliveredAt"]),
        "created_at": milliseconds(found["createdAt"]),
        "updated_at": milliseconds(found["updatedAt"]),
    }


def suggestion(found: Mapping[str, Any]) -> CountedSuggestedMessage:
    """A suggested message by itself."""
    return {**_suggested(found), "selected_count": found["selectedCount"]}


def customer(found: Mapping[str, Any]) -> Customer:
    """A customer."""
    return {
        "id": found["customerKey"],
        "phone_number": found["phoneNumber"],
        "country_code": found["countryCode"],
        "email": found["email"],
        "first_name": found["firstName"],
        "last_name": found["lastName"],
        "time_zone": found["timeZone"],
        "tags": found["tags"],
        "shipping_rate": found["shippingRate"],
        "unsubscribed": found["unsubscribed"],
        "billing_address": found["billingAddress"],
        "shipping_address": found["shippingAddress"],
        "card": found["card"],
        "confirmed_at": None if found["confirmedAt"] is None else milliseconds(found["confirmedAt"]),
        "created_at": milliseconds(found["createdAt"]),
        "updated_at": milliseconds(found["updatedAt"]),
    }


def milliseconds(moment: str) -> str:
    """A time of the graph, which has six digits, with three."""
    return f"{moment[:23]}Z"


def _suggested(found: Mapping[str, Any]) -> SuggestedMessage:
    return {
        "id": found["suggestionKey"],
        "remote_id": found["remoteId"],
        "content": found["content"],
        "content_type": "text",
    }
