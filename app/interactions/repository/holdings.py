"""Queries for interactions by holder and by team."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from app.interactions.model import State
from app.interactions.tables import interaction
from app.storage.constructs import IntList, among
from app.storage.fixed import Fixed
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

_LOCK = (
    sa.select(interaction.c.id)
    .where(among(interaction.c.id, sa.bindparam("ids", type_=IntList())))
    .order_by(interaction.c.id)
    .with_for_update()
)

_OF_TEAM = Fixed(
    sa.select(interaction.c.id)
    .where(
        interaction.c.team_id == sa.bindparam("team", type_=sa.BigInteger),
        interaction.c.kind == sa.bindparam("kind", type_=sa.Text),
        # Named one by one, as the index has them.
        sa.or_(
            *(interaction.c.state == sa.literal_column(f"'{state}'") for state in State if state is not State.CLOSED)
        ),
    )
    .limit(sa.literal_column("1"))
)


class HoldingRepository(Repository):
    """Surrogates of interactions by holder and by team."""

    def held(self, kind: str, user_id: int) -> Sequence[int]:
        """The open and snoozed interactions of the kind that the user holds, in the order of their surrogates."""
        return [row[0] for row in self._all(_HELD, {"kind": kind, "user": user_id})]

    def lock(self, interactions: Collection[int]) -> None:
        """Lock the interactions in the order of their surrogates."""
        if interactions:
            self._all(_LOCK, {"ids": sorted(interactions)})

    def any_open_of_team(self, kind: str, team_id: int) -> bool:
        """Whether one of the kind that is not closed belongs to the team."""
        return self._one(_OF_TEAM, {"kind": kind, "team": team_id}) is not None
