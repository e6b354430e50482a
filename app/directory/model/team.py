"""A Team: users who work together, and the borders of their work."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypedDict

from app.core.errors import InvalidInput, TooLong
from app.core.ids import parse_id
from app.core.sight import NO_TEAM
from app.core.text import key_form
from app.directory.model.checks import Check, Path, distinct, line

__all__ = ("NO_TEAM", "Team", "TeamChanges")

MOST_MEMBERS = 1_000
MOST_BORDERS = 1_000
MOST_TEAMS = 100
"""How many teams one user may be a member of."""

ACCOUNTS = ("cha", "aia", "top")
"""The id prefixes of the accounts that can be borders: channel agents, AI agents, chat topics."""


class Border(StrEnum):
    """What a border of a team is."""

    ACCOUNT = "ACCOUNT"
    LABEL = "LABEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team; `id` is a surrogate. `account_ids` and `labels` are its borders. No other team has the same border."""

    id: int
    name: str
    account_ids: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    created_at: datetime
    updated_at: datetime
    version: int = 1

    @property
    def name_key(self) -> str:
        """The form of the name that must be unique."""
        return key_form(self.name)

    @property
    def borders(self) -> tuple[tuple[Border, str], ...]:
        """The borders that lead to this team."""
        accounts = ((Border.ACCOUNT, value) for value in self.account_ids)
        return (*accounts, *((Border.LABEL, value) for value in self.labels))


class TeamChanges(TypedDict, total=False):
    """The fields of a new team, or of a change. An absent key leaves the field unchanged. A new team needs a name."""

    name: str
    member_ids: list[str]
    account_ids: list[str]
    labels: list[str]


def _ids(prefixes: tuple[str, ...], most: int, says: str) -> Check:
    def check(value: Any, path: Path) -> tuple[str, ...]:
        if len(value) > most:
            raise TooLong(f"This takes at most {most:,} ids.", path=path)
        found = []
        for place, text in enumerate(value):
            each = parse_id(str(text))
            if each is None or each.prefix not in prefixes:
                raise InvalidInput(says, path=(*path, place))
            found.append(str(each))
        return tuple(dict.fromkeys(found))

    return check


CHANGEABLE: Mapping[str, Check] = MappingProxyType(
    {
        "name": line(255, blank=False),
        "member_ids": _ids(("usr",), MOST_MEMBERS, "This takes the id of a user."),
        "account_ids": _ids(ACCOUNTS, MOST_BORDERS, "This takes the id of a ChannelAgent, an AiAgent or a ChatTopic."),
        "labels": distinct(line(64, blank=False), MOST_BORDERS),
    }
)
