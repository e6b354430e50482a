"""Finds the interactions that a user holds."""

from collections.abc import Sequence

import sqlalchemy as sa

from app.interactions.model import State
from app.interactions.tables import interaction
from app.storage.repository import Repository

_HELD = (
    sa.select(interaction.c.id)
    .where(
        interaction.c.assignee_id == sa.bindparam("user", type_=sa.BigInteger),
        interaction.c.kind == sa.bindparam("kind", type_=sa.Text),
        interaction.c.state != State.CLOSED.value,
    )
    .order_by(interaction.c.id)
)


class HoldingRepository(Repository):
    """Surrogates of interactions by who holds them."""

    def held(self, kind: str, user_id: int) -> Sequence[int]:
        """Those of the kind that are not closed, the oldest first."""
        return [row[0] for row in self._all(_HELD, {"kind": kind, "user": user_id})]
