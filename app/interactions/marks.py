"""What one change of an interaction adds to reports."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """How a customer's wait ended. A wait whose messages were deleted has no outcome."""

    ANSWERED = "ANSWERED"
    ANSWERED_BY_BOT = "ANSWERED_BY_BOT"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A wait that ended, a closing, a reopening, a missed customer: one or several of these, at once.

    `waited_since` is the beginning of the wait that ended with the `outcome`, `is_first` whether it is the first of the
    interaction's that a user answered; `opened_at` is given where the interaction was closed. `user_id` is who answered
    or closed it, otherwise its holder."""

    interaction_id: int
    kind: str
    team_id: int
    user_id: int | None
    account: str | None
    at: datetime
    waited_since: datetime | None = None
    outcome: Outcome | None = None
    is_first: bool = False
    opened_at: datetime | None = None
    reopened: bool = False
    missed: bool = False
