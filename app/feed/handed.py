"""Events that this process has committed, which need not be read back."""

from collections.abc import Sequence
from operator import attrgetter

from app.core.events import LoggedEvent
from app.storage.event_log import Appended, Cursor, in_order

_MOST = 5_000
_FIRST = attrgetter("first")


class Handed:
    """What commits have appended to the log, until the tail gets to it.

    It is no more than a short cut. Where events are missing, the log has to be read: those after them cannot be
    taken."""

    def __init__(self) -> None:
        self._lanes: dict[int, list[Appended]] = {}
        self._count = 0

    def __len__(self) -> int:
        """How many events wait."""
        return self._count

    def add(self, appended: Sequence[Appended]) -> None:
        """Keep what a commit has appended. When more than 5,000 events wait, those are dropped first."""
        if self._count > _MOST:
            self.clear()
        for each in appended:
            self._lanes.setdefault(each.lane, []).append(each)
            self._count += len(each.entries)

    def clear(self) -> None:
        """Drop everything."""
        self._lanes.clear()
        self._count = 0

    def after(self, cursor: Cursor, most: int) -> Sequence[LoggedEvent]:
        """Take the events that come next after the cursor, in order: those of as many commits as bring `most`. What the
        cursor has seen already is dropped."""
        found: list[LoggedEvent] = []
        for lane, appended in list(self._lanes.items()):
            # Two commits may tell of themselves in another order than they were made in.
            appended.sort(key=_FIRST)
            wanted = cursor.positions[lane] + 1
            while appended and appended[0].first <= wanted and len(found) < most:
                events = appended.pop(0).logged()
                self._count -= len(events)
                seen = wanted - events[0].position
                found += events[seen:] if seen else events
                wanted = max(wanted, events[-1].position + 1)
            if not appended:
                del self._lanes[lane]
        return list(in_order(found))
