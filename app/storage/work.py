"""One unit of work, as services see it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar, cast

import sqlalchemy as sa

from app.core.events import EventRecord
from app.core.ids import Ids
from app.settings import Settings
from app.storage.stored import Stored

R = TypeVar("R")
T = TypeVar("T")


class Work:
    """One transaction, synchronous. Everything in it becomes durable together, or nothing does.

    `now` is read once, when the unit starts. `kinds` are the injected rules of each kind of interaction, by name.
    `left` is the row that was written last; after the unit it is set only if nothing else was done after that write.
    Only the database commits, when the unit returns."""

    __slots__ = ("_repositories", "connection", "dialect_name", "events", "ids", "kinds", "left", "now", "settings")

    def __init__(
        self,
        connection: sa.Connection,
        now: datetime,
        ids: Ids,
        settings: Settings,
        kinds: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.connection = connection
        self.now = now
        self.ids = ids
        self.settings = settings
        self.kinds = kinds
        self.dialect_name = connection.dialect.name
        self.events: list[EventRecord] = []
        self.left: Stored | None = None
        self._repositories: dict[object, Any] = {}

    def use(self, repository: Callable[[sa.Connection], R]) -> R:
        """The unit's one instance of a repository."""
        found = self._repositories.get(repository)
        if found is None:
            found = self._repositories[repository] = repository(self.connection)
        return cast("R", found)

    def record(self, event: EventRecord) -> None:
        """Keep an event for the log. The unit's last step writes all events, in the order recorded."""
        self.events.append(event)


Unit = Callable[[Work], T]
OpenWork = Callable[[sa.Connection], Work]
