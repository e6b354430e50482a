"""The users, persons and customers of the demo, with their permissions."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.core.actor import GENERAL_PERMISSIONS, Actor
from app.demo.people import name_of, phone_of
from app.demo.stage import Stage
from app.directory.model import Channel, NewCustomer, User, UserChanges
from app.directory.service import create_customer, create_profile, create_user, set_presence

ROOT = Actor(user_id=0, name="Demo", is_admin=True)
"""Who sets the scene."""

_KINDS = ("session", "agent_session", "chat_session", "conversation")
_READ = (*(f"{kind}:read" for kind in _KINDS), "directory:read")
_ALL = (*(f"{kind}:{verb}" for kind in _KINDS for verb in ("read", "write")), "directory:read", "directory:write")
_WITHOUT_CHATS = tuple(permission for permission in _ALL if not permission.startswith("chat_session:"))

_USERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "ingrid": ("Ingrid Haugen", (*_ALL, *GENERAL_PERMISSIONS[2:])),
    "tony": ("Tony Nakamura", _ALL),
    "femi": ("Femi Okafor", _ALL),
    "rosa": ("Rosa García", _ALL),
    "quinn": ("Quinn Murphy (may only read)", _READ),
    "nadia": ("Nadia Haddad (sees no chats)", _WITHOUT_CHATS),
}
_SERVICES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "gateway": ("Channel gateway", _ALL),
    "wallboard": ("Wallboard", _READ),
}
_PRESENT = ("ingrid", "tony", "femi", "rosa")

MAYA = 0
"""The person who is known to all four systems."""
PERSONS = 14
_CHANNELS = (Channel.WHATSAPP, Channel.WIDGET, Channel.BRIDGE)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: actors by login, and customers' surrogates by system and person."""

    actors: Mapping[str, Actor]
    customers: Mapping[tuple[str, int], int]

    def __getitem__(self, login: str) -> Actor:
        return self.actors[login]

    def customer(self, system: str, person: int) -> int:
        """The surrogate of the person's customer in the system."""
        return self.customers[system, person]


def gather(stage: Stage) -> Cast:
    """Make the users, the persons and their customers, six days before the end."""
    stage.now = stage.ago(days=6)
    actors = {login: _user(stage, login, *about, is_service=False) for login, about in _USERS.items()}
    actors |= {login: _user(stage, login, *about, is_service=True) for login, about in _SERVICES.items()}
    for login in _PRESENT:
        stage.do(set_presence, ROOT, True, user=f"usr_{actors[login].user_id}")
    customers = {}
    for person in range(PERSONS):
        profile = _profile(stage, person)
        for system in (kind.upper() for kind in _KINDS):
            customers[system, person] = _customer(stage, system, person, profile)
    return Cast(actors, customers)


def person_name(person: int) -> tuple[str, str]:
    """First and last name."""
    return ("Maya", "Okonkwo") if person == MAYA else name_of(40 + person)


def channel_of(person: int) -> Channel:
    """The messenger channel that the person uses."""
    return _CHANNELS[person % len(_CHANNELS)]


def _user(stage: Stage, login: str, full_name: str, permissions: tuple[str, ...], *, is_service: bool) -> Actor:
    given: UserChanges = {
        "name": full_name.split()[0] if not is_service else full_name,
        "login": login,
        "full_name": full_name,
        "permissions": list(permissions),
        "is_service": is_service,
        "email": f"{login}@example.com",
    }
    user: User = stage.do(create_user, ROOT, given)
    return Actor(user_id=user.id, name=user.name, permissions=frozenset(permissions))


def _profile(stage: Stage, person: int) -> str:
    first_name, last_name = person_name(person)
    profile = stage.do(
        create_profile,
        ROOT,
        {
            "name": f"{first_name} {last_name}",
            "phone_number": phone_of(24_367_000 + person),
            "email": f"person{person}@example.org",
            "address": f"Storgata {person + 1}, 0184 Oslo",
        },
    )
    return f"prf_{profile.id}"


def _customer(stage: Stage, system: str, person: int, profile: str) -> int:
    first_name, last_name = person_name(person)
    given: NewCustomer = {
        "system": system,
        "customer_key": f"demo-{system.lower()}-{person}",
        "first_name": first_name,
        "last_name": last_name,
        "email": f"person{person}@example.org",
    }
    if system == "CONVERSATION":
        given |= {"channel": channel_of(person).value, "display_id": phone_of(24_367_000 + person)[1:]}
    elif system == "SESSION":
        given |= {"phone_number": phone_of(24_367_000 + person), "country_code": "DE", "tags": ["demo"]}
    elif system == "CHAT_SESSION":
        given |= {"company_name": "Hamill-Veum"}
    return stage.do(create_customer, ROOT, given, profile=profile).id
