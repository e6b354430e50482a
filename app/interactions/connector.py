"""The contract that fills interactions from another system's deliveries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from app.interactions.remote import Mapped, Remote, Settings

if TYPE_CHECKING:
    from app.storage.work import Work

__all__ = ("About", "Connector", "Mapped", "Settings", "Signature", "Unmappable")


class Unmappable(Exception):
    """A delivery that cannot be applied; `reason` is for a person and holds nothing of what was delivered.

    `passing` says that a later try may succeed: what it refers to may arrive meanwhile."""

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.passing = passing


@dataclass(frozen=True, slots=True)
class About:
    """Whom a delivery is about: the key in the other system, and the surrogate of the customer who is known by it."""

    key: str | None = None
    customer_id: int | None = None


class Signature(Protocol):
    """How a system signs its deliveries."""

    @property
    def headers(self) -> tuple[str, ...]:
        """The names of the headers that it needs, in small letters."""

    def key(self, headers: Mapping[str, str], body: str) -> str:
        """The system's id of a delivery, which a repeat has too."""

    def is_made_with(self, secret: str, headers: Mapping[str, str], body: str) -> bool:
        """Whether the delivery was signed with this secret, and not too long ago."""


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
        """The settings of a new connection, checked and complete; makes what the connection needs.

        Raises DomainError, its path relative to the settings."""

    def problems(self, work: "Work", settings: Settings) -> list[str]:
        """Why nothing could be applied now, a sentence each; empty when all is well."""

    def apply(self, work: "Work", connection_id: int, settings: Settings, body: str) -> Mapped | None:
        """Apply one delivery whole; None when it changed no interaction. A repeat changes nothing.

        Raises Unmappable, and DomainError for what the rules refuse."""

    def about(self, work: "Work", connection_id: int, settings: Settings, body: str) -> About:
        """Whom a delivery is about that may not fit otherwise, as far as that can be read. Raises nothing."""
