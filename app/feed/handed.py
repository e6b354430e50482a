"""Events that this process has committed, which need not be read back."""

from collections.abc import Sequence

from app.core.events import LoggedEvent
from app.storage.event_log import Appended, Cursor, in_order

_MOST = 5_000


class Handed:
    """Events of the log until the tail gets to them.

    They are no more than a short cut. Where one is missing, the log has to be read: those after it cannot be taken."""

    def __init__(self) -> None:
        self._lanes: dict[int, dict[int, LoggedEvent]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, appended: Sequence[Appended]) -> None:
        """Keep what a commit has appended. When more than 5,000 events wait, those are dropped first."""
        if self._count > _MOST:
            self.clear()
        for each in appended:
            lane = self._lanes.setdefault(each.lane, {})
            lane.update((event.position, event) for event in each.logged())
            self._count += len(each.entries)

    def clear(self) -> None:
        """Drop everything."""
        self._lanes.clear()
        self._count = 0

    def after(self, cursor: Cursor, most: int) -> Sequence[LoggedEvent]:
        """Take about `most` of the events that come next after the cursor, in order. What it has seen already is
        dropped."""
        found: list[LoggedEvent] = []
        for lane, events in list(self._lanes.items()):
            position = cursor.positions[lane] + 1
            while len(found) < most and (event := events.pop(position, None)) is not None:
                found.append(event)
                position += 1
            for seen in [each for each in events if each < position]:
                del events[seen]
            if not events:
                del self._lanes[lane]
        self._count = sum(map(len, self._lanes.values()))
        return list(in_order(found))
