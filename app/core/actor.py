"""Who is calling, and what they may do."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from app.core.errors import Forbidden
from app.core.fairness import Caller
from app.core.sight import Permissions, Verb, Viewer, holds, is_narrowed, reaches, teams_of_free, writes_some

GENERAL_PERMISSIONS = (
    "directory:read",
    "directory:write",
    "users:manage",
    "teams:manage",
    "connections:manage",
    "destinations:manage",
    "settings:read",
    "reports:read",
)
"""The permissions that do not belong to a kind of interaction."""


VERBS = ("read", "read:team", "read:own", "write", "write:team", "write:own", "claim")
"""What may be done with interactions of a kind, as the last part of a permission names it."""

_NAME = re.compile(r"([a-z_]+)_(read|write|manage|claim)(?:_(team|own))?", re.ASCII)


def kind_permissions(kinds: Iterable[str]) -> tuple[str, ...]:
    """The permissions of each kind of interaction: `<kind>:read`, its narrower forms, and so on."""
    return tuple(f"{kind}:{verb}" for kind in kinds for verb in VERBS)


def permission_name(permission: str) -> str:
    """The permission as an enum value of the graph: `session:read` becomes SESSION_READ."""
    return permission.replace(":", "_").upper()


@lru_cache(maxsize=1_000)
def permission_of(name: str) -> str:
    """The permission of an enum value of the graph."""
    match = _NAME.fullmatch(name.lower())
    if match is None:
        raise ValueError(f"{name} is no name of a permission")
    return ":".join(part for part in match.groups() if part is not None)


@dataclass(frozen=True, slots=True)
class Actor:
    """A user, with the permissions of the key that it came with. The role `admin` implies all permissions.

    `is_narrowed` says that the key may allow less than the user has. `expires_at` is when the key, or the access token
    used instead of it, expires. `teams` are the surrogates of the user's teams. `address` is where an anonymous request
    comes from. `ticket_id` is the ticket that a stream was begun with. `sessions_ended_at` is when the user's sessions
    were last ended: an actor from before that time does not equal one from after it."""

    user_id: int
    name: str
    permissions: frozenset[str] = frozenset()
    is_admin: bool = False
    key_id: int | None = None
    expires_at: datetime | None = field(default=None, compare=False)
    is_narrowed: bool = False
    teams: frozenset[int] = frozenset()
    address: str | None = None
    ticket_id: int | None = field(default=None, compare=False)
    sessions_ended_at: datetime | None = None

    @property
    def caller(self) -> Caller:
        """The fair-queueing key of the actor's work. All keys of a user share one."""
        return self.user_id if self.address is None else self.address

    def can(self, permission: str) -> bool:
        """Whether the actor has the permission; an admin has all."""
        return self.is_admin or permission in self.permissions

    def require(self, permission: str) -> None:
        """Raise Forbidden unless the actor has the permission."""
        if not self.can(permission):
            raise Forbidden(f"This needs the permission {permission}.", permission=permission)

    def require_writing(self, kind: str) -> None:
        """Raise Forbidden unless the actor may change interactions of the kind, all or some of them."""
        if not self.writes_some(kind):
            raise Forbidden(f"This needs the permission {kind}:write.", permission=f"{kind}:write")

    @property
    def _all(self) -> Permissions:
        return None if self.is_admin else self.permissions

    @property
    def viewer(self) -> Viewer:
        """The part of the actor that decides which interactions it sees."""
        if self.is_admin or not is_narrowed(self.permissions):
            return Viewer(self._all)
        return Viewer(self.permissions, self.user_id, self.teams)

    def holds(self, permission: str) -> bool:
        """Whether the actor has the permission, itself or in its wider form."""
        return self.is_admin or holds(self.permissions, permission)

    def can_read(self, kind: str) -> bool:
        """Whether the actor may read all interactions of the kind."""
        return self.can(f"{kind}:read")

    def writes_some(self, kind: str) -> bool:
        """Whether the actor may change interactions of the kind, all or some of them."""
        return writes_some(self._all, kind)

    def may_write(self, kind: str, team_id: int, holder: int | None) -> bool:
        """Whether the actor may change an interaction of the kind that belongs to the team and has this assignee."""
        return reaches(self._all, Verb.WRITE, self.user_id, self.teams, kind, team_id, holder)

    def teams_to_take_of(self, kind: str) -> frozenset[int] | None:
        """The teams whose unassigned interactions of the kind the actor may take, with NO_TEAM for interactions without
        a team. None for all teams."""
        seen, written = (teams_of_free(self._all, verb, self.teams, kind) for verb in Verb)
        return written if seen is None else seen if written is None else seen & written


SYSTEM = Actor(user_id=0, name="Switchboard", is_admin=True)
"""The actor when only time has passed. Its events have no actor."""

CONNECTION = Actor(user_id=0, name="Connection", is_admin=True)
"""The actor when another system has changed something of its own. Such a change is not sent back to that system."""
