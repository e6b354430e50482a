"""Which interactions of a kind a caller may see and change."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

Permissions = frozenset[str] | None
"""The caller's permissions; None allows everything."""

NO_TEAM = 0
"""The number of "no team": no surrogate is 0."""


class Verb(StrEnum):
    """What a permission allows with interactions of a kind, all or some of them."""

    READ = "read"
    WRITE = "write"


class Part(StrEnum):
    """The part of a kind's interactions that a narrowed permission covers."""

    TEAM = "team"
    """Interactions of the caller's teams, and of no team."""

    OWN = "own"
    """Interactions assigned to the caller."""

    CLAIM = "claim"
    """Unassigned interactions of the caller's teams."""


def wider(permission: str) -> str | None:
    """The permission of which this one is a narrower form: `session:read` for `session:read:team`. None for any
    other."""
    whole, _, part = permission.rpartition(":")
    return whole if part in (Part.TEAM, Part.OWN) and ":" in whole else None


def holds(permissions: Permissions, permission: str) -> bool:
    """Whether the permission is held, itself or in its wider form."""
    return permissions is None or permission in permissions or (wider(permission) or permission) in permissions


def common(held: frozenset[str], named: Iterable[str]) -> frozenset[str]:
    """The permissions that both sets allow. Of two forms of a permission, the narrower one counts."""
    wanted = frozenset(named)
    both = {each for each in wanted if holds(held, each)} | {each for each in held if holds(wanted, each)}
    return frozenset(each for each in both if wider(each) not in both)


@lru_cache(maxsize=4_096)
def parts_of(permissions: Permissions, kind: str, verb: Verb = Verb.READ) -> frozenset[Part] | None:
    """The parts of the kind for which the verb is allowed. None for the whole kind, empty for nothing."""
    if permissions is None or f"{kind}:{verb}" in permissions:
        return None
    found = {part for part in (Part.TEAM, Part.OWN) if f"{kind}:{verb}:{part}" in permissions}
    if Part.OWN in found and f"{kind}:claim" in permissions:
        found.add(Part.CLAIM)
    return frozenset(found)


def sees_some(permissions: Permissions, kind: str) -> bool:
    """Whether interactions of the kind may be seen, all or some of them."""
    return parts_of(permissions, kind) != frozenset()


def writes_some(permissions: Permissions, kind: str) -> bool:
    """Whether interactions of the kind may be changed, all or some of them."""
    return parts_of(permissions, kind, Verb.WRITE) != frozenset()


@lru_cache(maxsize=4_096)
def is_narrowed(permissions: Permissions) -> bool:
    """Whether what the caller sees depends on its teams or on what is assigned to it."""
    if permissions is None:
        return False
    narrow = (wider(each) for each in permissions)
    return any(whole is not None and whole.endswith(":read") and whole not in permissions for whole in narrow)


def reaches(
    permissions: Permissions,
    verb: Verb,
    user_id: int | None,
    teams: frozenset[int],
    kind: str,
    team_id: int,
    holder: int | None,
) -> bool:
    """Whether the verb is allowed for an interaction of this kind, team and holder."""
    parts = parts_of(permissions, kind, verb)
    if parts is None:
        return True
    of_teams = team_id in teams
    return (
        (Part.TEAM in parts and (of_teams or team_id == NO_TEAM))
        or (Part.OWN in parts and holder is not None and holder == user_id)
        or (Part.CLAIM in parts and holder is None and of_teams)
    )


def teams_of_free(permissions: Permissions, verb: Verb, teams: frozenset[int], kind: str) -> frozenset[int] | None:
    """The teams for whose unassigned interactions of the kind the verb is allowed, with NO_TEAM for none. None for all
    teams."""
    parts = parts_of(permissions, kind, verb)
    if parts is None:
        return None
    if Part.TEAM in parts:
        return teams | {NO_TEAM}
    return teams if Part.CLAIM in parts else frozenset()


@dataclass(frozen=True, slots=True)
class Viewer:
    """What decides which interactions are seen. The user and its teams are set only where they matter."""

    permissions: Permissions
    user_id: int | None = None
    teams: frozenset[int] = frozenset()

    def sees(self, kind: str, team_id: int, holder: int | None) -> bool:
        """Whether an interaction of the team, assigned to the holder, is seen."""
        return reaches(self.permissions, Verb.READ, self.user_id, self.teams, kind, team_id, holder)
