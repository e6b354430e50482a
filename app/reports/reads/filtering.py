"""Which figures a report asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.errors import DomainError
from app.core.ids import require_id
from app.interactions.reads.filters import team_numbers


@dataclass(frozen=True, slots=True)
class Asked:
    """The kinds, teams (0 for none) and users of a report; None for all."""

    kinds: frozenset[str] | None
    teams: frozenset[int] | None
    users: frozenset[int] | None

    def matches(self, kind: str, team_id: int, user_id: int | None) -> bool:
        """Whether the report asks for figures of these."""
        return (
            (self.kinds is None or kind in self.kinds)
            and (self.teams is None or team_id in self.teams)
            and (self.users is None or user_id in self.users)
        )


def asked_for(given: Mapping[str, Any] | None, caller: int) -> Asked:
    """The figures that a `ReportFilter` asks for. Raises InvalidInput and NotFound, with the path in the filter."""
    given = given or {}
    kinds, teams, users = (given.get(name) for name in ("kinds", "team_ids", "user_ids"))
    try:
        return Asked(
            None if kinds is None else frozenset(each.lower() for each in kinds),
            None if teams is None else frozenset(_teams(teams)),
            None if users is None else frozenset(_user(each, caller, place) for place, each in enumerate(users)),
        )
    except DomainError as error:
        error.path = ("filter", *error.path)
        raise


def _teams(given: Sequence[str | None]) -> Sequence[int]:
    try:
        return team_numbers(given)
    except DomainError as error:
        error.path = ("team_ids", *error.path)
        raise


def _user(text: str, caller: int, place: int) -> int:
    return caller if text == "me" else require_id(text, "usr", path=("user_ids", place)).number
