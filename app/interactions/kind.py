"""The parts of a kind of interaction, which the registry lists."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.graph.slice import Slice
from app.interactions.connector import Connector
from app.interactions.graphql.targets import Target
from app.interactions.rules import KindRules
from app.rest import Contract
from app.settings import KindSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionKind:
    """A kind: its rules, its part of the graph, and its upstream's own REST contract.

    `description` is what the graph's enum `InteractionKind` says of it, `customers` what `CustomerSystem` says of the
    system of its customers, `statuses` what `InteractionStatus` says of each of its `Facets.status`. `targets` are what
    finds its interactions beside their customer, `connectors` what fills them from other systems,
    `settings` what operators can set of this kind alone."""

    rules: KindRules[Any]
    description: str
    customers: str
    slice: Slice
    contract: Contract | None = None
    targets: tuple[Target, ...] = ()
    statuses: Mapping[str, str] = field(default_factory=dict)
    connectors: tuple[Connector, ...] = ()
    settings: type[KindSettings] | None = None

    @property
    def name(self) -> str:
        """Its permissions' prefix, its discriminator, and in capitals its name in the graph's enum."""
        return self.rules.name

    @property
    def prefix(self) -> str:
        """The prefix of its global ids."""
        return self.rules.prefix
