"""Maps teams to the tables."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from app.directory.tables import team, team_member
from app.selection.mapping import Many, Order, Root, RootMany, Scope, Sql, TypeMap, by_id

_OLDEST = {"OLDEST": Order(lambda scope: (scope.c.id,))}


def _members_of(user: Scope, key: Any) -> Sql:
    members = sa.select(team_member.c.user_id).where(team_member.c.team_id == key)
    of_user: sa.Column[int] = user.c.id
    return of_user.in_(members.correlate(key.table))


def _teams_of(of: Scope, key: Any) -> Sql:
    teams = sa.select(team_member.c.team_id).where(team_member.c.user_id == key)
    of_team: sa.Column[int] = of.c.id
    return of_team.in_(teams.correlate(key.table))


OF_USER = Many("Team", _teams_of, _OLDEST, "OLDEST")
"""The edge `User.teams`."""

MAPPING = TypeMap("Team", team, prefix="tea", fields={"members": Many("User", _members_of, _OLDEST, "OLDEST")})

ROOTS: Mapping[str, Root] = MappingProxyType(
    {"team": by_id("Team", "tea"), "teams": RootMany("Team", _OLDEST, "OLDEST")}
)
