"""The rules of waiting: since when a customer waits for an answer."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

MOST_UNANSWERED = 1_000
"""The most unanswered messages that are counted."""


class Bearing(StrEnum):
    """What a message means to the wait of its interaction's customer; a message without one means nothing to it."""

    ASKS = "ASKS"
    ANSWERS = "ANSWERS"


class Answered(NamedTuple):
    """When an answer was written, and by which user; `by_bot` is whether a bot or an AI agent wrote it."""

    at: datetime
    user_id: int | None
    by_bot: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The wait of an interaction's customer, in the order of arrival of its messages.

    `since` is the arrival of the first unanswered message, None while nobody waits; `unanswered` counts those messages,
    at most MOST_UNANSWERED. `failed` is whether the latest answer was not delivered. `settled_id` is the message up to
    which closing has ended the wait, as an answer would have. `answer` is what ended it in this unit, never stored."""

    since: datetime | None = None
    unanswered: int = 0
    failed: bool = False
    settled_id: int | None = None
    answer: Answered | None = field(default=None, compare=False)

    @property
    def needed(self) -> bool:
        """Whether the customer waits."""
        return self.since is not None


NOT_WAITING = Waiting()


def asked(waiting: Waiting, at: datetime) -> Waiting:
    """The wait after one more message of the customer, which arrived at `at`."""
    unanswered = min(waiting.unanswered + 1, MOST_UNANSWERED)
    return replace(waiting, since=waiting.since or at, unanswered=unanswered, answer=None)


def answered(waiting: Waiting, by: Answered | None = None, *, delivered: bool) -> Waiting:
    """The wait after an answer; one that was not delivered answers nothing."""
    if not delivered:
        return replace(waiting, failed=True)
    return Waiting(settled_id=waiting.settled_id, answer=by)


def settled(waiting: Waiting, latest_id: int) -> Waiting:
    """The wait ended by closing, up to the customer's latest message."""
    return replace(waiting, since=None, unanswered=0, settled_id=latest_id, answer=None)
