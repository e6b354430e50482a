"""What the functions of a mapping get: Scope and Env."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa

from app.core.actor import Actor
from app.core.sight import NO_TEAM, Permissions, sees_some
from app.selection.tree import Variables

if TYPE_CHECKING:
    from app.settings import Settings

VIEWER_ID, VIEWER_TEAMS = "viewer_id", "viewer_teams"
"""The parameters of a statement whose rows depend on the caller: the user, and the user's teams, with 0 for no team."""
Sql = sa.ColumnElement[Any]


class Scope(Protocol):
    """A type's own row source in one statement. `scope.c.status` is a column of its table, or of the table it
    extends."""

    @property
    def c(self) -> Any: ...


SqlOf = Callable[[Scope], Sql]


@dataclass(slots=True)
class Env:
    """What one run of a plan knows besides its SQL."""

    actor: Actor
    now: datetime
    settings: "Settings"
    variables: Variables = field(default_factory=dict)


SOME = ":some"
"""The last part of a name that stands for seeing a kind or any part of it: `session:read:some`."""


def granted(permissions: Permissions, permission: str | None) -> bool:
    """Whether the permission is held. A name that ends with SOME also counts when any narrower form is held."""
    if permission is None or permissions is None or permission in permissions:
        return True
    return permission.endswith(SOME) and sees_some(permissions, permission.partition(":")[0])


def viewer_values(actor: Actor) -> Mapping[str, object]:
    """The values of VIEWER parameters for this caller."""
    return {VIEWER_ID: actor.user_id, VIEWER_TEAMS: [NO_TEAM, *sorted(actor.teams)]}
