"""Who is calling, and what that allows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from app.core.errors import Forbidden
from app.core.fairness import Caller

GENERAL_PERMISSIONS = (
    "directory:read",
    "directory:write",
    "users:manage",
    "teams:manage",
    "connections:manage",
    "destinations:manage",
)
"""The permissions that no kind of interaction brings."""


def kind_permissions(kinds: Iterable[str]) -> tuple[str, ...]:
    """The permissions that each kind of interaction brings: `<kind>:read` and `<kind>:write`."""
    return tuple(f"{kind}:{verb}" for kind in kinds for verb in ("read", "write"))


def permission_name(permission: str) -> str:
    """The permission in capitals, as enums of the graph have it: `session:read` is SESSION_READ."""
    return permission.replace(":", "_").upper()


def permission_of(name: str) -> str:
    """The permission that the graph calls so."""
    of, _, verb = name.lower().rpartition("_")
    return f"{of}:{verb}"


@dataclass(frozen=True, slots=True)
class Actor:
    """A user with the permissions of the key it came with; role `admin` implies all of them.

    `is_narrowed` says that the key may hold less than its user; `expires_at` is when the key, or the access token in
    its place, ends by itself. `address` is where somebody without a key asks from."""

    user_id: int
    name: str
    permissions: frozenset[str] = frozenset()
    is_admin: bool = False
    key_id: int | None = None
    expires_at: datetime | None = field(default=None, compare=False)
    is_narrowed: bool = False
    address: str | None = None

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

    def can_read(self, kind: str) -> bool:
        return self.can(f"{kind}:read")

    def can_write(self, kind: str) -> bool:
        return self.can(f"{kind}:write")


SYSTEM = Actor(user_id=0, name="Switchboard", is_admin=True)
"""Who acts when only time has passed: nobody. What it does has no actor in the event log."""
