"""The shared part of connectors whose systems are read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from app.connections.model.settings import Check, checked_settings
from app.interactions.connector import About, Mapped, Settings, Unmappable

if TYPE_CHECKING:
    from app.storage.work import Work


class ReadConnector:
    """A connector adds `system`, `description`, `signature` and `remote`, and `apply` if it takes deliveries.

    `checks` are the settings that a connection can have."""

    checks: ClassVar[Mapping[str, Check]]

    def prepared(self, work: "Work", connection_id: int, name: str, given: Settings) -> Settings:
        return checked_settings(given, self.checks)

    def problems(self, work: "Work", settings: Settings) -> list[str]:
        return []

    def apply(self, work: "Work", connection_id: int, settings: Settings, body: str) -> Mapped | None:
        raise Unmappable("This system is read; it sends no deliveries.")

    def about(self, work: "Work", connection_id: int, settings: Settings, body: str) -> About:
        return About()
