"""The SQL conditions by which a caller sees interactions."""

from typing import Any

import sqlalchemy as sa

from app.core.actor import GENERAL_PERMISSIONS
from app.core.sight import NO_TEAM, Part, parts_of
from app.interactions.tables import interaction
from app.selection.mapping import VIEWER_ID, VIEWER_TEAMS, Permissions, Scope, Sql
from app.storage.constructs import IntList, among, is_any, unindexed

_NO_KINDS = frozenset(each.partition(":")[0] for each in GENERAL_PERMISSIONS)
"""What else there are permissions to read."""

_NOBODY = sa.literal_column(str(NO_TEAM), sa.BigInteger)


def kinds_seen(permissions: Permissions) -> list[str] | None:
    """The kinds of which the caller sees interactions, all or a part of them; None for all kinds."""
    if permissions is None:
        return None
    named = {each.split(":", 1)[0] for each in permissions if ":read" in each}
    return sorted(kind for kind in named - _NO_KINDS if parts_of(permissions, kind) != frozenset())


def by_teams_alone(permissions: Permissions) -> bool:
    """Whether the caller sees exactly the interactions of its teams and of no team, in every kind that it sees."""
    kinds = kinds_seen(permissions)
    return bool(kinds) and all(parts_of(permissions, kind) == frozenset({Part.TEAM}) for kind in kinds or ())


def seen(permissions: Permissions, row: Scope) -> Sql | bool:
    """The condition that the caller sees an interaction; False if it sees none. `row` is one of `interaction`."""
    kinds = kinds_seen(permissions)
    if kinds is None:
        return True
    found: list[Sql] = []
    by_parts: dict[frozenset[Part], list[str]] = {}
    for kind in kinds:
        parts = parts_of(permissions, kind)
        by_parts.setdefault(frozenset() if parts is None else parts, []).append(kind)
    for parts, names in by_parts.items():
        # Not by an index: the one that gives the list's order does far less work than sorting all of a kind.
        is_one = is_any(row.c.kind, names)
        found.append(sa.and_(is_one, _within(parts, row)) if parts else is_one)
    return sa.or_(*found) if found else False


def seen_of_kind(permissions: Permissions, row: Scope, kind: str) -> Sql | bool:
    """The condition that the caller sees a row of `interaction` of this kind."""
    parts = parts_of(permissions, kind)
    if parts is None:
        return True
    return _within(parts, row) if parts else False


def seen_by_key(permissions: Permissions, key: Sql, kind: str | None = None) -> Sql | bool:
    """The condition that the caller sees the interaction with the surrogate; `kind` is its kind, if that is known."""
    of = interaction.alias("seen")
    within = seen(permissions, of) if kind is None else seen_of_kind(permissions, of, kind)
    if isinstance(within, bool):
        return within
    return sa.exists().select_from(of).where(of.c.id == key, within).correlate_except(of)


def seen_part(permissions: Permissions, row: Scope) -> Sql | bool:
    """The condition that the caller sees a part of an interaction; `row` has its `kind` and `interaction_id`."""
    kinds = kinds_seen(permissions)
    if kinds is None:
        return True
    whole = [kind for kind in kinds if parts_of(permissions, kind) is None]
    narrow = [kind for kind in kinds if kind not in whole]
    found: list[Sql] = [is_any(row.c.kind, whole)] if whole else []
    for kind in narrow:
        within: Any = seen_by_key(permissions, row.c.interaction_id, kind)
        found.append(sa.and_(unindexed(row.c.kind) == sa.literal_column(f"'{kind}'", sa.Text), within))
    return sa.or_(*found) if found else False


def only(select: sa.Select[Any], within: Sql | bool) -> sa.Select[Any]:
    """The statement restricted by the condition of one of the functions above."""
    if isinstance(within, bool):
        return select if within else select.where(sa.false())
    return select.where(within)


def _within(parts: frozenset[Part], row: Scope) -> Sql:
    viewer: sa.BindParameter[int] = sa.bindparam(VIEWER_ID, type_=sa.BigInteger)
    teams: sa.BindParameter[Any] = sa.bindparam(VIEWER_TEAMS, type_=IntList())
    found: list[Sql] = []
    if Part.TEAM in parts:
        found.append(among(row.c.team_id, teams))
    if Part.OWN in parts:
        found.append(row.c.assignee_id == viewer)
    if Part.CLAIM in parts:
        of_a_team = sa.and_(row.c.team_id != _NOBODY, among(row.c.team_id, teams))
        found.append(sa.and_(row.c.assignee_id.is_(None), of_a_team))
    return sa.or_(*found)
