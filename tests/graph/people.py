"""The users, customers and profiles of the tests of the graph, made by its own mutations."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from app.core.actor import Actor, permission_name
from app.directory import service
from app.registry import KINDS
from tests.graph.running import Graph

KIND_NAMES = tuple(kind.name for kind in KINDS)
ALL_OF_KINDS = tuple(f"{name}:{verb}" for name in KIND_NAMES for verb in ("read", "write"))

HELD = {
    "bo": (*ALL_OF_KINDS, "directory:read"),
    "cy": ("conversation:read", "session:read"),
    "dee": ("chat_session:read", "chat_session:write", "agent_session:read"),
    "eve": (),
    "mia": ("directory:read", "directory:write", "users:manage"),
}
"""Who may what; `bo` works on everything, `eve` may nothing."""


@dataclass
class People:
    """The actors by name, and the ids of customers and profiles by a name of the tests' own."""

    actors: dict[str, Actor] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, str] = field(default_factory=dict)

    @property
    def admin(self) -> Actor:
        return self.actors["admin"]


def reaches(actor: Actor, verb: str, kind: str, team: int, holder: int | None) -> bool:
    """Whether the actor may read or write an interaction of a team (0: of none), as docs/permissions.md says it."""
    if actor.can(f"{kind}:{verb}"):
        return True
    of_team, own = team in actor.teams, actor.can(f"{kind}:{verb}:own")
    return (
        (actor.can(f"{kind}:{verb}:team") and (of_team or team == 0))
        or (own and holder == actor.user_id)
        or (own and actor.can(f"{kind}:claim") and of_team and holder is None)
    )


def narrowed(people: People) -> list[Actor]:
    """Callers who see and may change parts of the kinds, by the teams of `store_teams` and by what is assigned to
    them."""

    def actor(of: str, name: str, teams: Iterable[int], *parts: str) -> Actor:
        held = {f"{kind}:{part}" for kind in KIND_NAMES for part in parts if ":" not in part or part[0] in "rw"}
        held |= {part for part in parts if part.split(":")[0] in (*KIND_NAMES, "directory")}
        return replace(people.actors[of], name=name, permissions=frozenset(held), teams=frozenset(teams))

    mixed = ("session:read", "conversation:read:team", "chat_session:read:own", "agent_session:read:own")
    changed = ("session:write:team", "conversation:write:own", "chat_session:write:own", "agent_session:write:team")
    return [
        actor("bo", "of a team", [1], "read:team", "write:own", "directory:read"),
        actor("bo", "own", [1], "read:own", "write:own", "directory:read"),
        actor("bo", "own and free", [1], "read:own", "write:own", "claim"),
        # More teams than have parameters of their own.
        actor("cy", "of a team, or own", [2, *range(100, 120)], "read:team", "read:own", "write:team"),
        actor("dee", "of no team", [], "read:team"),
        actor("bo", "mixed", [1, 2], *mixed, *changed, "chat_session:claim"),
    ]


async def store_people(graph: Graph) -> People:
    """Users 1 to 7 with a key each, profiles, and customers of every system."""
    people = People()
    await graph.database.command(service.bootstrap, None)
    people.actors["admin"] = Actor(user_id=1, name="Admin", is_admin=True, key_id=1)
    for name, permissions in HELD.items():
        await _user(graph, people, name, permissions)
    await graph.do(
        "createUser",
        {"name": "Fay", "login": "fay", "isService": True, "type": "SYSTEM_ASSOCIATE", "personId": 77},
        "user { id }",
    )
    await graph.do("deactivateUser", {"id": "usr_7"})
    await graph.do("setPresence", {"present": True}, actor=people.actors["bo"])
    await graph.do("createApiKey", {"name": "second", "permissions": ["DIRECTORY_READ"]}, actor=people.admin)
    await graph.do("revokeApiKey", {"id": "key_7"})
    await _profiles(graph, people)
    await _customers(graph, people)
    return people


async def _user(graph: Graph, people: People, name: str, permissions: tuple[str, ...]) -> None:
    made = await graph.do(
        "createUser",
        {
            "name": name.capitalize(),
            "login": name,
            "fullName": f"{name.capitalize()} Ångström",
            "email": f"{name}@example.com",
            "permissions": [permission_name(each) for each in permissions],
        },
        "user { id }",
    )
    key = await graph.do("createApiKey", {"name": f"{name}'s", "userId": made["user"]["id"]}, "apiKey { id }")
    people.actors[name] = Actor(
        user_id=int(made["user"]["id"].removeprefix("usr_")),
        name=name.capitalize(),
        permissions=frozenset(permissions),
        key_id=int(key["apiKey"]["id"].removeprefix("key_")),
    )


async def _profiles(graph: Graph, people: People) -> None:
    given = {
        "zoe": {
            "name": "Zoë Straße",
            "salutation": "INFORMAL",
            "gender": "FEMALE",
            "dateOfBirth": "1990-02-28",
            "phoneNumber": "+47 22 33 44 55",
            "email": "zoe@example.com",
            "address": "Storgata 1\n0155 Oslo",
            **{f"custom{number}": f"custom {number}" for number in range(1, 6)},
        },
        "max": {"name": "Max"},
        "nil": {"name": "Nobody's"},
    }
    for name, values in given.items():
        made = await graph.do("createProfile", values, "profile { id }")
        people.profiles[name] = made["profile"]["id"]


async def _customers(graph: Graph, people: People) -> None:
    zoe = people.profiles["zoe"]
    given: dict[str, dict[str, Any]] = {
        "zoe_session": {
            "system": "SESSION",
            "phoneNumber": "+4790000001",
            "firstName": "Zoë",
            "lastName": "Straße",
            "countryCode": "NO",
            "email": "zoe@example.com",
            "timeZone": "Europe/Oslo",
            "tags": ["vip", "ünïcode \U0001f600", 'quo"te'],
            "shippingRate": 3,
            "billingAddress": {"street": "Storgata 1", "lines": [1, 2.5, None, {"deep": True}], "": "empty"},
            "shippingAddress": {},
            "card": {"last4": "4242"},
            "confirmedAt": "2025-12-31T23:59:59.123456Z",
            "customerKey": "zoe-key",
            "profileId": zoe,
        },
        "zoe_agent": {"system": "AGENT_SESSION", "customerKey": "cust_zoe", "name": "Zoe S.", "profileId": zoe},
        "zoe_chat": {"system": "CHAT_SESSION", "name": "Zoe", "companyName": "Straße AS", "profileId": zoe},
        "zoe_whatsapp": {
            "system": "CONVERSATION",
            "channel": "WHATSAPP",
            "displayId": "+4790000001",
            "name": "Zoe",
            "profileId": zoe,
        },
        "max_whatsapp": {
            "system": "CONVERSATION",
            "channel": "WHATSAPP",
            "displayId": "+4790000002",
            "profileId": people.profiles["max"],
        },
        "late": {"system": "CONVERSATION", "channel": "WHATSAPP", "displayId": "+4790000009"},
        "widget": {"system": "CONVERSATION", "channel": "WIDGET", "displayId": "w-1", "name": "Visitor"},
        "bridge": {"system": "CONVERSATION", "channel": "BRIDGE", "displayId": "b-1"},
        "ann": {"system": "SESSION", "phoneNumber": "+4790000003", "name": "Ann"},
        "ben": {"system": "SESSION", "unconfirmedPhoneNumber": "+4790000004", "name": "Ben"},
        "chat": {"system": "CHAT_SESSION", "name": "Chatty", "email": "chatty@example.com"},
    }
    for name, values in given.items():
        made = await graph.do("createCustomer", values, "customer { id }")
        people.customers[name] = made["customer"]["id"]
    await graph.do("unsubscribeCustomer", {"id": people.customers["ben"]})
