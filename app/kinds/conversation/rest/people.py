"""Reads and wire format of channel agents, customers, profiles and users."""

from collections.abc import Mapping
from typing import Any

from app.core.actor import permission_of
from app.core.paging import Page
from app.kinds.conversation.rest import answers
from app.kinds.conversation.rest.values import seconds, surrogate, word
from app.rest import Pick, leaf, listed, one, root

MOST_AGENTS = 10_000
"""How many channel agents one answer lists; the contract has no pages of them."""

_CUSTOM = tuple(f"custom{place}" for place in range(1, 6))
AGENT = tuple(map(leaf, ("id", "channel", "displayId", "name", "inSync", "unreadConversationsCount")))
USER = tuple(map(leaf, ("id", "name", "email", "roles", "permissions", "createdAt", "updatedAt")))
PROFILE = tuple(
    map(
        leaf,
        (
            *("id", "salutation", "name", "gender", "blocked", "dateOfBirth", "phoneNumber", "email", "address"),
            *(*_CUSTOM, "createdAt", "updatedAt"),
        ),
    )
)
CUSTOMER = (*map(leaf, ("id", "channel", "displayId", "name")), one("profile", "Profile", PROFILE))

GET_AGENT = root(one("channelAgent", "ChannelAgent", AGENT, id=Pick("id")))
LIST_AGENTS = root(listed("channelAgents", "ChannelAgent", AGENT, page=Page(size=MOST_AGENTS)))
GET_CUSTOMER = root(one("customer", "Customer", (*CUSTOMER, leaf("system")), id=Pick("id")))
LIST_CUSTOMERS = root(
    one(
        "conversationContractCustomers",
        "ConversationContractCustomers",
        (one("customers", "Customer", CUSTOMER), leaf("total")),
        limit=Pick("limit"),
        offset=Pick("offset"),
    )
)
LIST_USERS = root(
    one(
        "conversationContractUsers",
        "ConversationContractUsers",
        (one("users", "User", USER),),
        customer_id=Pick("customer_id"),
    )
)
GET_PROFILE = root(one("profile", "Profile", PROFILE, id=Pick("id")))


def agent(found: Mapping[str, Any]) -> answers.Agent:
    """A channel agent."""
    return {
        "id": surrogate(found["id"]),
        "channel": word(found["channel"]),
        "display_id": found["displayId"],
        "name": found["name"],
        "in_sync": found["inSync"],
        "unread_conversations_count": found["unreadConversationsCount"],
    }


def customer(found: Mapping[str, Any]) -> dict[str, object]:
    """A customer; without what is unknown of it, because nothing of it is nullable."""
    return _without_none(
        {
            "id": surrogate(found["id"]),
            "channel": word(found["channel"]),
            "display_id": found["displayId"],
            "name": found["name"],
            "profile": None if found["profile"] is None else profile(found["profile"]),
        }
    )


def profile(found: Mapping[str, Any]) -> dict[str, object]:
    """A profile; without salutation and gender where they are unknown or not for the caller to see."""
    salutation, gender = found["salutation"], found["gender"]
    shown = {
        "id": surrogate(found["id"]),
        "salutation": None if salutation is None else salutation.lower(),
        "name": found["name"],
        "gender": word(gender),
        "blocked": found["blocked"],
    }
    return _without_none(shown) | {
        "date_of_birth": found["dateOfBirth"],
        "phone_number": found["phoneNumber"],
        "email": found["email"],
        "address": found["address"],
        **{f"custom_{place}": found[name] for place, name in enumerate(_CUSTOM, 1)},
        "created_at": seconds(found["createdAt"]),
        "updated_at": seconds(found["updatedAt"]),
    }


def user(found: Mapping[str, Any]) -> dict[str, object]:
    """A user; roles and permissions only for who may see them."""
    names = found["permissions"]
    permissions = None if names is None else [permission_of(name) for name in names]
    return {
        "id": surrogate(found["id"]),
        "name": found["name"],
        "email": found["email"],
        **_without_none({"roles": found["roles"], "permissions": permissions}),
        "created_at": seconds(found["createdAt"]),
        "updated_at": seconds(found["updatedAt"]),
    }


def _without_none(shown: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in shown.items() if value is not None}
