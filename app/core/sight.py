"""Which interactions of a kind a caller sees and may change: by permissions, teams, assignee."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

Permissions = frozenset[str] | None
"""What a caller may; None: everything."""

NO_TEAM = 0
"""Stands for a team where there is none: no surrogate is 0."""


class Verb(StrEnum):
    """What a permission lets be done with interactions of a kind, all of them or a part."""

    READ = "read"
    WRITE = "write"


class Part(StrEnum):
    """A part of a kind's interactions that a narrowed permission holds for."""

    TEAM = "team"
    """Those of the caller's teams, and those of no team."""

    OWN = "own"
    """Those that are assigned to the caller."""

    CLAIM = "claim"
    """Those of the caller's teams that are assigned to nobody."""


def wider(permission: str) -> str | None:
    """The permission that this one is a narrower form of: `session:read` of `session:read:team`; None for any other."""
    whole, _, part = permission.rpartition(":")
    return whole if part in (Part.TEAM, Part.OWN) and ":" in whole else None


def holds(permissions: Permissions, permission: str) -> bool:
    """Whether the permission is held, as it is or in its wider form."""
    return permissions is None or permission in permissions or (wider(permission) or permission) in permissions


def common(held: frozenset[str], named: Iterable[str]) -> frozenset[str]:
    """What both allow: of two forms of a permission the narrower one."""
    wanted = frozenset(named)
    both = {each for each in wanted if holds(held, each)} | {each for each in held if holds(wanted, each)}
    return frozenset(each for each in both if wider(each) not in both)


@lru_cache(maxsize=4_096)
def parts_of(permissions: Permissions, kind: str, verb: Verb = Verb.READ) -> frozenset[Part] | None:
    """The parts of the kind for which the verb is allowed; None for all of it, empty for nothing."""
    if permissions is None or f"{kind}:{verb}" in permissions:
        return None
    found = {part for part in (Part.TEAM, Part.OWN) if f"{kind}:{verb}:{part}" in permissions}
    if Part.OWN in found and f"{kind}:claim" in permissions:
        found.add(Part.CLAIM)
    return frozenset(found)


def sees_some(permissions: Permissions, kind: str) -> bool:
    """Whether interactions of the kind may be seen, all or a part of them."""
    return parts_of(permissions, kind) != frozenset()


def writes_some(permissions: Permissions, kind: str) -> bool:
    """Whether interactions of the kind may be changed, all or a part of them."""
    return parts_of(permissions, kind, Verb.WRITE) != frozenset()


@lru_cache(maxsize=4_096)
def is_narrowed(permissions: Permissions) -> bool:
    """Whether what is seen depends on the caller's teams or on what is assigned to it."""
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
    """Whether the verb is allowed for an interaction of the kind, the team and the holder."""
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
    """The teams for whose free interactions of the kind the verb is allowed, NO_TEAM among them; None for all teams."""
    parts = parts_of(permissions, kind, verb)
    if parts is None:
        return None
    if Part.TEAM in parts:
        return teams | {NO_TEAM}
    return teams if Part.CLAIM in parts else frozenset()


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, as far as what is seen depends on it: the user and its teams only where that is narrowed."""

    permissions: Permissions
    user_id: int | None = None
    teams: frozenset[int] = frozenset()

    def sees(self, kind: str, team_id: int, holder: int | None) -> bool:
        """Whether an interaction is seen that belongs to the team and is assigned to the holder."""
        return reaches(self.permissions, Verb.READ, self.user_id, self.teams, kind, team_id, holder)
