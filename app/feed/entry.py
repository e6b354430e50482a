"""Events read from the log."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.events import Event, EventRecord, LoggedEvent
from app.storage.event_log import Cursor


class Entry:
    """An event of the log with the cursor behind it.

    `number` counts the events that this process's tail has read; 0 for an event that was read again. `type` is the
    event's class, and `facts` holds what a stream derives from it: both are computed once, however many listen."""

    __slots__ = ("_cursor_text", "cursor", "facts", "logged", "number", "type")

    def __init__(self, logged: LoggedEvent, cursor: Cursor, number: int = 0) -> None:
        self.logged = logged
        self.cursor = cursor
        self.number = number
        self.type: type[Event] = logged.event.type
        self.facts: object = None
        self._cursor_text: str | None = None

    @property
    def event(self) -> EventRecord:
        return self.logged.event

    @property
    def cursor_text(self) -> str:
        if self._cursor_text is None:
            self._cursor_text = str(self.cursor)
        return self._cursor_text


@dataclass(frozen=True, slots=True)
class Page:
    """Events that were read again, and how many more were read but `left`, as they were not asked for.

    `number` is the tail's count at their end if they have reached its head."""

    entries: Sequence[Entry]
    cursor: Cursor
    number: int | None
    left: int = 0
