"""What the functions of a mapping get: Scope and Env."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import sqlalchemy as sa

from app.core.actor import Actor
from app.core.sight import NO_TEAM, Permissions, sees_some
from app.selection.tree import Variables

if TYPE_CHECKING:
    from app.settings import Settings

VIEWER = "viewer_"
"""The beginning of the names of parameters by which the rows of a statement depend on the caller."""

VIEWER_ID, VIEWER_TEAMS = f"{VIEWER}id", f"{VIEWER}teams"
"""The parameters of the user, and of the user's teams, with 0 for no team."""
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


MOST_PLACES = 16
"""The longest list of teams whose numbers are parameters of their own."""


class OfViewer(NamedTuple):
    """The values of VIEWER parameters for one caller.

    Each of the first `places` parameters that `viewer_team` names has the number of a team. There are as many as a
    power of two, so that callers with other teams share the text of a statement: 0 for a caller without teams, and None
    for one with more teams than that."""

    values: Mapping[str, object]
    places: int | None


def viewer_team(place: int) -> str:
    """The name of the parameter of one of the caller's teams."""
    return f"{VIEWER}team_{place}"


def viewer_values(actor: Actor) -> OfViewer:
    """The values of VIEWER parameters for this caller."""
    return _of_viewer(actor.user_id, actor.teams)


@lru_cache(maxsize=4_096)
def _of_viewer(user_id: int, teams: frozenset[int]) -> OfViewer:
    numbers = sorted(teams)
    values: dict[str, object] = {VIEWER_ID: user_id, VIEWER_TEAMS: [NO_TEAM, *numbers]}
    if len(numbers) > MOST_PLACES:
        return OfViewer(values, None)
    places = 1 << (len(numbers) - 1).bit_length() if numbers else 0
    padded = numbers + [NO_TEAM] * (places - len(numbers))
    return OfViewer({**values, **{viewer_team(place): number for place, number in enumerate(padded)}}, places)
