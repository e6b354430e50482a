"""Teams, their members and their borders."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from app.core.errors import AlreadyExists
from app.directory.model.team import NO_TEAM, Border, Team
from app.directory.repository.rows import Rows
from app.directory.tables import team, team_border, team_member
from app.storage.constructs import TextList, texts
from app.storage.fixed import Fixed

_BORDERS = Fixed(
    sa.select(team_border.c.what, team_border.c.value, team_border.c.team_id)
    .select_from(team_border.join(team, team.c.id == team_border.c.team_id))
    .where(
        sa.or_(
            sa.and_(
                team_border.c.what == Border.ACCOUNT.value,
                team_border.c.value == sa.bindparam("account", type_=sa.Text),
            ),
            sa.and_(
                team_border.c.what == Border.LABEL.value,
                team_border.c.value.in_(sa.select(texts(sa.bindparam("labels", type_=TextList())).c.text)),
            ),
        )
    )
    # The team must not be deleted before the new row that refers to it is visible.
    .with_for_update(read=True, key_share=True, of=team)
)


class TeamRepository(Rows[Team]):
    """Named queries over teams."""

    model = Team
    rows = team
    readers = {"account_ids": tuple, "labels": tuple}  # noqa: RUF012 - declared by the base
    writers = {"account_ids": list, "labels": list}  # noqa: RUF012 - declared by the base

    def taken(self, model: Team) -> AlreadyExists:
        return AlreadyExists(f"There already is a team with the name {model.name}.", path=("name",))

    def get_by_name(self, name_key: str) -> Team | None:
        """The team with this name, ignoring case and accents."""
        return self._find(team.c.name_key == name_key)

    def hold(self, number: int) -> bool:
        """Whether there is a team with this surrogate. It is then not deleted until the unit ends."""
        statement = sa.select(team.c.id).where(team.c.id == number)
        return self._one(statement.with_for_update(read=True, key_share=True)) is not None

    def members(self, number: int) -> frozenset[int]:
        """The surrogates of the team's members."""
        rows = self._all(sa.select(team_member.c.user_id).where(team_member.c.team_id == number))
        return frozenset(row.user_id for row in rows)

    def teams_of(self, user_id: int) -> frozenset[int]:
        """The surrogates of the teams that the user is a member of."""
        rows = self._all(sa.select(team_member.c.team_id).where(team_member.c.user_id == user_id))
        return frozenset(row.team_id for row in rows)

    def set_members(self, number: int, gone: Iterable[int], come: Iterable[int]) -> None:
        """Remove members, and add others."""
        for user in gone:
            self.connection.execute(
                sa.delete(team_member).where(team_member.c.team_id == number, team_member.c.user_id == user)
            )
        rows = [{"team_id": number, "user_id": user} for user in come]
        if rows:
            self.connection.execute(sa.insert(team_member), rows)

    def set_borders(self, after: Team) -> None:
        """Replace the team's borders. Raises AlreadyExists for a border of another team."""
        self.connection.execute(sa.delete(team_border).where(team_border.c.team_id == after.id))
        for what, values in ((Border.ACCOUNT, after.account_ids), (Border.LABEL, after.labels)):
            name = "account_ids" if what is Border.ACCOUNT else "labels"
            for place, value in enumerate(values):
                taken = AlreadyExists(f"{value} belongs to another team already.", path=(name, place))
                with self._refusing(taken):
                    row = {"what": what.value, "value": value, "team_id": after.id}
                    self.connection.execute(sa.insert(team_border).values(row))

    def led_to(self, account: str | None, labels: Sequence[str]) -> int:
        """The team that the borders lead to: by the first label that is a border, otherwise by the account; 0 for
        none."""
        found: dict[tuple[str, str], int] = {
            (row[0], row[1]): row[2] for row in self._all(_BORDERS, {"account": account, "labels": list(labels)})
        }
        for label in labels:
            if (Border.LABEL, label) in found:
                return found[Border.LABEL, label]
        return found.get((Border.ACCOUNT, account or ""), NO_TEAM)

    def _values(self, model: Team) -> dict[str, Any]:
        return {**super()._values(model), "name_key": model.name_key}
