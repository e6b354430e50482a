"""The model of a delivery: one event for one destination."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

EXCERPT = 500
"""How many characters of an answer are stored."""


class Place(NamedTuple):
    """The position of an event in the log."""

    lane: int
    position: int


class DeliveryStatus(StrEnum):
    """The outcome of a delivery so far."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    GIVEN_UP = "GIVEN_UP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The outcome of one attempt. `fault` is the code of the reason when there was no answer."""

    at: datetime
    latency_ms: int
    http_status: int | None = None
    fault: str | None = None
    excerpt: str | None = None
    retry_after: float | None = None
    is_gone: bool = False
    """Whether the receiver wants no more deliveries."""

    @property
    def is_success(self) -> bool:
        return self.http_status is not None and 200 <= self.http_status < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery. `place` is None for a test. `latest` and all counts of attempts are of this process, or stored."""

    webhook_id: str
    place: Place | None
    topic: str | None
    interaction_id: int | None
    policy_id: int | None = None
    status: DeliveryStatus
    attempts: int
    first_attempt_at: datetime
    next_attempt_at: datetime | None
    latest: Attempt


def webhook_id(destination_id: int, place: Place) -> str:
    """The id of the event for the receiver, the same at each attempt."""
    return f"dst_{destination_id}_{place.lane}_{place.position}"


def excerpt_of(content: bytes) -> str | None:
    """The start of an answer as one line of text that both databases can store."""
    text = content[: 4 * EXCERPT].decode(errors="replace")
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:EXCERPT] or None
