"""What a mapping's functions are given: a type's row source while compiling, the run's surroundings while running."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa

from app.core.actor import Actor
from app.selection.tree import Variables

if TYPE_CHECKING:
    from app.settings import Settings

Permissions = frozenset[str] | None  # None: every permission
Sql = sa.ColumnElement[Any]


class Scope(Protocol):
    """A type's own row source in one statement; `scope.c.status` is a column of its table or of the one it extends."""

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


def granted(permissions: Permissions, permission: str | None) -> bool:
    return permission is None or permissions is None or permission in permissions
