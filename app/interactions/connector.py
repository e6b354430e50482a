"""The contract that fills interactions from another system's deliveries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from app.interactions.remote import Mapped, Remote, Settings

if TYPE_CHECKING:
    from app.storage.work import Work

__all__ = ("About", "Connector", "Mapped", "Settings", "Signature", "Unmappable")


class Unmappable(Exception):
    """A delivery cannot be applied. `reason` is for people and quotes nothing of the delivery.

    With `passing` a later attempt may succeed, because the object that the delivery refers to may arrive meanwhile."""

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.passing = passing


@dataclass(frozen=True, slots=True)
class About:
    """The customer of a delivery: the key in the other system, and the surrogate of our customer with that key."""

    key: str | None = None
    customer_id: int | None = None


class Signature(Protocol):
    """How a system signs its deliveries."""

    def key(self, headers: Mapping[str, str], body: str) -> str:
        """The system's id of a delivery, the same for a repeat."""

    def is_made_with(self, secret: str, headers: Mapping[str, str], body: str) -> bool:
        """Whether the delivery was signed with this secret and is not too old."""


class Connector(Protocol):
    """What one system's deliveries mean. A kind brings its connectors; no framework, neither GraphQL nor HTTP.

    `system` is its name in the graph's enum, `description` what the enum says of it."""

    system: str
    description: str

    @property
    def signature(self) -> Signature:
        """How the system signs its deliveries."""

    @property
    def remote(self) -> Remote | None:
        """How the system is read and written; None for one that only sends deliveries."""

    def prepared(self, work: "Work", connection_id: int, name: str, given: Settings) -> Settings:
        """Validates and completes the settings of a new connection, and creates what the connection needs.

        Raises DomainError, its path relative to the settings."""

    def problems(self, work: "Work", settings: Settings) -> list[str]:
        """The reasons for which no delivery could be applied now, a sentence each."""

    def apply(self, work: "Work", connection_id: int, settings: Settings, body: str) -> Mapped | None:
        """Apply one delivery. Returns None when it changed no interaction. A repeat changes nothing.

        Raises Unmappable, and DomainError for what the rules refuse."""

    def about(self, work: "Work", connection_id: int, settings: Settings, body: str) -> About:
        """The customer of a delivery that may be malformed otherwise, as far as it can be read. Raises nothing."""
