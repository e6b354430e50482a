"""The users to whom an interaction can be assigned."""

from typing import Any

import sqlalchemy as sa

from app.directory.reads.mapping import OLDEST_USERS, USER_FILTERS
from app.interactions.holders import could_see, could_write
from app.interactions.tables import interaction
from app.selection.mapping import Many, Scope, Sql


def _may_take(user: Scope, key: Any) -> Sql:
    taken = interaction.alias("taken")
    allowed = (could_see(user.c, taken.c), could_write(user.c, taken.c))
    return sa.exists().select_from(taken).where(taken.c.id == key, *allowed).correlate_except(taken)


ASSIGNABLE = Many(
    "User",
    _may_take,
    OLDEST_USERS,
    "OLDEST",
    filters={name: USER_FILTERS[name] for name in ("search", "present")},
    inherits=True,
)
"""The edge `Interaction.assignableUsers`; a kind with a condition of its own has another."""
