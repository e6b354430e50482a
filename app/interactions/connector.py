"""The contract that fills interactions from another system's deliveries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from app.storage.work import Work

Settings = Mapping[str, object]
"""What a connection is set up with, beside its name and its secrets; JSON."""


class Unmappable(Exception):
    """A delivery that cannot be applied; `reason` is for a person and holds nothing of what was delivered.

    `passing` says that a later try may succeed: what it refers to may arrive meanwhile."""

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.passing = passing


@dataclass(frozen=True, slots=True)
class Mapped:
    """The interaction that a delivery was about, and the key that the other system has for it."""

    interaction_id: int
    key: str


class Connector(Protocol):
    """What one system's deliveries mean. A kind brings its connectors; no framework, neither GraphQL nor HTTP.

    `system` is its name in the graph's enum, `description` what the enum says of it."""

    system: str
    description: str

    def prepared(self, work: "Work", connection_id: int, name: str, given: Settings) -> Settings:
        """The settings of a new connection, checked and complete; makes what the connection needs.

        Raises DomainError, its path relative to the settings."""

    def problems(self, work: "Work", settings: Settings) -> list[str]:
        """Why nothing could be applied now, a sentence each; empty when all is well."""

    def apply(self, work: "Work", connection_id: int, settings: Settings, body: str) -> Mapped | None:
        """Apply one delivery whole; None when it changed no interaction. A repeat changes nothing.

        Raises Unmappable, and DomainError for what the rules refuse."""

    def customer(self, work: "Work", connection_id: int, settings: Settings, body: str) -> int | None:
        """The surrogate of the customer whom a delivery that failed is about; None where that cannot be read, or the
        customer is not known. Raises nothing."""
