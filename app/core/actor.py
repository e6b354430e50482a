"""Who is calling, and what that allows."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

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
"""The permissions that no kind of interaction brings."""


VERBS = ("read", "read:team", "read:own", "write", "write:team", "write:own", "claim")
"""What may be done with interactions of a kind, as its permissions say it."""

_NAME = re.compile(r"([a-z_]+)_(read|write|manage|claim)(?:_(team|own))?", re.ASCII)


def kind_permissions(kinds: Iterable[str]) -> tuple[str, ...]:
    """The permissions that each kind of interaction brings: `<kind>:read`, the narrower forms of it, and so on."""
    return tuple(f"{kind}:{verb}" for kind in kinds for verb in VERBS)


def permission_name(permission: str) -> str:
    """The permission in capitals, as enums of the graph have it: `session:read` is SESSION_READ."""
    return permission.replace(":", "_").upper()


def permission_of(name: str) -> str:
    """The permission that the graph calls so."""
    match = _NAME.fullmatch(name.lower())
    if match is None:
        raise ValueError(f"{name} is no name of a permission")
    return ":".join(part for part in match.groups() if part is not None)


@dataclass(frozen=True, slots=True)
class Actor:
    """A user with the permissions of the key it came with; role `admin` implies all of them.

    `is_narrowed` says that the key may hold less than its user; `expires_at` is when the key, or the access token in
    its place, ends by itself. `teams` are the surrogates of the user's teams. `address` is where somebody
    without a key asks from. `sessions_ended_at` is when the user's sessions were ended the last time: an actor from
    before is another one."""

    user_id: int
    name: str
    permissions: frozenset[str] = frozenset()
    is_admin: bool = False
    key_id: int | None = None
    expires_at: datetime | None = field(default=None, compare=False)
    is_narrowed: bool = False
    teams: frozenset[int] = frozenset()
    address: str | None = None
    sessions_ended_at: datetime | None = None

    @property
    def caller(self) -> Caller:
        """Whose share of this process's resources the actor's work takes: all keys of a user share one."""
        return self.user_id if self.address is None else self.address

    def can(self, permission: str) -> bool:
        return self.is_admin or permission in self.permissions

    def require(self, permission: str) -> None:
        """Raise Forbidden unless the actor has the permission."""
        if not self.can(permission):
            raise Forbidden(f"This needs the permission {permission}.")

    def require_writing(self, kind: str) -> None:
        """Raise Forbidden unless the actor may change interactions of the kind, all or a part of them."""
        if not self.writes_some(kind):
            raise Forbidden(f"This needs the permission {kind}:write.")

    @property
    def _all(self) -> Permissions:
        return None if self.is_admin else self.permissions

    @property
    def viewer(self) -> Viewer:
        """Who looks, for whatever is seen by teams and assignees."""
        if self.is_admin or not is_narrowed(self.permissions):
            return Viewer(self._all)
        return Viewer(self.permissions, self.user_id, self.teams)

    def holds(self, permission: str) -> bool:
        """Whether the actor has the permission, as it is or in its wider form."""
        return self.is_admin or holds(self.permissions, permission)

    def can_read(self, kind: str) -> bool:
        return self.can(f"{kind}:read")

    def writes_some(self, kind: str) -> bool:
        """Whether the actor may change interactions of the kind, all or a part of them."""
        return writes_some(self._all, kind)

    def may_write(self, kind: str, team_id: int, holder: int | None) -> bool:
        """Whether the actor may change an interaction of the kind that belongs to the team and has this assignee."""
        return reaches(self._all, Verb.WRITE, self.user_id, self.teams, kind, team_id, holder)

    def teams_to_take_of(self, kind: str) -> frozenset[int] | None:
        """The teams, NO_TEAM among them, whose free interactions of the kind the actor may take; None for all teams."""
        seen, written = (teams_of_free(self._all, verb, self.teams, kind) for verb in Verb)
        return written if seen is None else seen if written is None else seen & written


SYSTEM = Actor(user_id=0, name="Switchboard", is_admin=True)
"""Who acts when only time has passed: nobody. What it does has no actor in the event log."""

CONNECTION = Actor(user_id=0, name="Connection", is_admin=True)
"""Who acts when another system has changed something of its own: nobody here. What it does is not sent back there."""
