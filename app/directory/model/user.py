"""A User: a person or service that works here, and its grants."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypedDict

from app.core.actor import Actor
from app.core.errors import Forbidden, InvalidInput
from app.core.text import key_form
from app.directory.model.checks import Check, distinct, email, flag, line, matching, one_of, optional, whole

ADMIN = "admin"
"""The role that implies every permission."""

MANAGE = "users:manage"
"""The permission to change users and their credentials."""


class UserType(StrEnum):
    """The kind of login that a user has; the chat contract's UserType."""

    UNKNOWN = "UNKNOWN"
    INTERNAL_ASSOCIATE = "INTERNAL_ASSOCIATE"
    RESOURCE_ASSOCIATE = "RESOURCE_ASSOCIATE"
    EXTERNAL_ASSOCIATE = "EXTERNAL_ASSOCIATE"
    ANONYMOUS_ASSOCIATE = "ANONYMOUS_ASSOCIATE"
    SYSTEM_ASSOCIATE = "SYSTEM_ASSOCIATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user; `id` is a surrogate, `login` the chat contract's Name, `person_id` its PersonId.

    `present` says whether chats may be offered to the user. A change of `present`, or of `team_ids`, the surrogates of
    the user's teams, does not change `version`. `granted_at` says since when permissions are held, as `Since`. Tokens
    and tickets from before `sessions_ended_at` are no longer valid."""

    id: int
    name: str
    login: str
    full_name: str | None = None
    email: str | None = None
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    person_id: int | None = None
    type: UserType = UserType.INTERNAL_ASSOCIATE
    active: bool = True
    present: bool = False
    presence_changed_at: datetime | None = None
    is_service: bool = False
    created_at: datetime
    updated_at: datetime
    version: int = 1
    team_ids: tuple[int, ...] = ()
    granted_at: tuple[tuple[str, str], ...] = ()
    sessions_ended_at: datetime | None = None

    @property
    def is_admin(self) -> bool:
        return ADMIN in self.roles

    def has_ended(self, issued_at: datetime | None) -> bool:
        """Whether a token issued at this time belongs to the ended sessions. None counts as before all of them."""
        ended = self.sessions_ended_at
        return ended is not None and (issued_at is None or issued_at < ended)

    @property
    def login_key(self) -> str:
        """The form of the login that must be unique."""
        return key_form(self.login)

    def searchable(self) -> tuple[str | None, ...]:
        """The values that a search for a user looks through. The e-mail address is not one, because not everybody may
        see it."""
        return (self.name, self.login, self.full_name)


class UserChanges(TypedDict, total=False):
    """The fields of a new user, or of a change. An absent key leaves the field unchanged, None clears it. A new user
    needs a name and a login."""

    name: str
    login: str
    full_name: str | None
    email: str | None
    roles: list[str] | None
    permissions: list[str] | None
    person_id: int | None
    type: str
    active: bool
    is_service: bool


CHANGEABLE: Mapping[str, Check] = MappingProxyType(
    {
        "name": line(255, blank=False),
        "login": matching(r"[^\s]{1,64}", "This takes a login name of 1 to 64 characters without spaces.", 64),
        "full_name": optional(line(255)),
        "email": optional(email),
        "roles": distinct(matching("[a-z0-9][a-z0-9_.:-]*", "This takes a role, such as admin.", 64), 32),
        "permissions": distinct(line(64, blank=False), 64),
        "person_id": optional(whole(1)),
        "type": one_of(UserType),
        "active": flag,
        "is_service": flag,
    }
)


def require_known(permissions: Collection[str], known: Collection[str]) -> None:
    """Raise InvalidInput for the first permission that does not exist."""
    for place, permission in enumerate(permissions):
        if permission not in known:
            raise InvalidInput(f"There is no permission {permission}.", path=("permissions", place))


def require_grantable(
    actor: Actor, own_roles: Collection[str], changes: Mapping[str, Sequence[str]], held: User | None
) -> None:
    """Raise Forbidden when `changes` would give something to `held` (None: a new user) that the actor does not hold.

    An admin may grant everything. The actor itself says whether it is an admin, not its user's roles, because a key may
    be narrower than its user."""
    if actor.is_admin:
        return
    for place, role in enumerate(changes.get("roles", ())):
        if (held is None or role not in held.roles) and (role == ADMIN or role not in own_roles):
            raise Forbidden(
                f"You can only grant roles that you have yourself, and {role} is not one of them.",
                path=("roles", place),
            )
    for place, permission in enumerate(changes.get("permissions", ())):
        if (held is None or permission not in held.permissions) and not actor.holds(permission):
            raise Forbidden(
                f"You can only grant permissions that you have yourself, and {permission} is not one of them.",
                path=("permissions", place),
            )
