"""What was refused to users, counted until it is written."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

MOST_ENTRIES = 1_000
"""How many refusals of different users, reasons and permissions are counted at a time. Further ones are dropped."""


class RefusalReason(StrEnum):
    """Why something was refused to a user that is known."""

    KEY_REVOKED = "KEY_REVOKED"
    KEY_EXPIRED = "KEY_EXPIRED"
    USER_INACTIVE = "USER_INACTIVE"
    SESSIONS_ENDED = "SESSIONS_ENDED"
    FORBIDDEN = "FORBIDDEN"


class Refusal(NamedTuple):
    """What is one entry, however often it happens. `permission` is the one that was missing, where it is one."""

    user_id: int
    reason: RefusalReason
    permission: str | None = None


class Counted(NamedTuple):
    """How often it happened, and the latest key with which it did."""

    times: int
    key_id: int | None


class Refusals:
    """Counts refusals in memory, so that a flood of them costs nothing else."""

    def __init__(self, most: int = MOST_ENTRIES) -> None:
        self._most = most
        self._counted: dict[Refusal, Counted] = {}

    def note(
        self, user_id: int, reason: RefusalReason, *, permission: str | None = None, key_id: int | None = None
    ) -> None:
        """Count a refusal."""
        self._add(Refusal(user_id, reason, permission), Counted(1, key_id))

    def take(self) -> Mapping[Refusal, Counted]:
        """What was counted since the last time."""
        found, self._counted = self._counted, {}
        return found

    def give_back(self, counted: Mapping[Refusal, Counted]) -> None:
        """Count again what could not be written."""
        for refusal, found in counted.items():
            self._add(refusal, found)

    def _add(self, refusal: Refusal, more: Counted) -> None:
        found = self._counted.get(refusal)
        if found is not None:
            self._counted[refusal] = Counted(
                found.times + more.times, found.key_id if more.key_id is None else more.key_id
            )
        elif len(self._counted) < self._most:
            self._counted[refusal] = more
