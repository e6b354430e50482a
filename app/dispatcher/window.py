"""The events of one destination that are still to be delivered."""

from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.destinations.model import Delivery, DeliveryStatus, Place
from app.live.items import Item
from app.storage.event_log import Cursor

_MOST_CHARACTERS = 256 * 1024


@dataclass(slots=True, eq=False)
class Waiting:
    """An event. `text` is its item while that is kept in memory, `delivery` the record of the attempts so far."""

    item: Item
    place: Place
    key: Hashable
    cursor: Cursor
    text: str | None
    delivery: Delivery | None = None
    is_done: bool = False
    is_sent: bool = False

    @property
    def due_at(self) -> datetime | None:
        """The earliest time to send it; None for now."""
        return None if self.delivery is None else self.delivery.next_attempt_at


class Window:
    """The events between the destination's cursor and the last one that was read.

    The events of an interaction are sent one at a time, in the order of the log; those of different interactions do
    not wait for each other. The cursor moves over the events at the front that are done."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self._in_order: deque[Waiting] = deque()
        self._by_key: dict[Hashable, deque[Waiting]] = {}
        self._characters = 0
        self.undelivered = 0
        """The number of events that wait or are being sent."""

    @property
    def is_empty(self) -> bool:
        """Whether the cursor is past every event that was read."""
        return not self._in_order

    def add(self, item: Item, known: Delivery | None = None) -> None:
        """Add the next event of the log, with the record of its earlier attempts if there is one."""
        entry = item.entry
        assert entry is not None
        logged = entry.logged
        number = logged.event.interaction_id
        key: Hashable = ("lane", logged.lane) if number is None else number
        waiting = Waiting(item, Place(logged.lane, logged.position), key, entry.cursor, None, known)
        self._in_order.append(waiting)
        if known is not None and known.status is not DeliveryStatus.PENDING:
            waiting.is_done = True
            return
        if known is None and self._characters + len(item.text) <= _MOST_CHARACTERS:
            waiting.text = item.text
            self._characters += len(item.text)
        # An item whose text is not kept is rendered again when it is sent.
        waiting.item = item._replace(text="")
        self._by_key.setdefault(key, deque()).append(waiting)
        self.undelivered += 1

    def ready(self, now: datetime) -> Iterator[Waiting]:
        """The events that may be sent now, one of each interaction, the oldest first."""
        for queue in self._by_key.values():
            first = queue[0]
            if not first.is_sent and (first.due_at is None or first.due_at <= now):
                yield first

    def next_due(self) -> datetime | None:
        """The time of the earliest retry; None when no event waits for one."""
        return min(
            (due for queue in self._by_key.values() if not queue[0].is_sent and (due := queue[0].due_at) is not None),
            default=None,
        )

    def send(self, waiting: Waiting) -> None:
        """Mark the event as in flight."""
        waiting.is_sent = True

    def tried(self, waiting: Waiting, delivery: Delivery) -> None:
        """Record the attempt at the event."""
        waiting.is_sent = False
        waiting.delivery = delivery
        if waiting.text is not None:
            self._characters -= len(waiting.text)
            waiting.text = None
        if delivery.status is not DeliveryStatus.PENDING:
            waiting.is_done = True
            self.undelivered -= 1
            queue = self._by_key[waiting.key]
            queue.popleft()
            if not queue:
                del self._by_key[waiting.key]

    def advance(self) -> Sequence[Place]:
        """Move the cursor over the events at the front that are done. Returns their places."""
        passed = []
        while self._in_order and self._in_order[0].is_done:
            waiting = self._in_order.popleft()
            self.cursor = waiting.cursor
            passed.append(waiting.place)
        return passed

    def advance_to(self, cursor: Cursor) -> None:
        """Move the cursor of an empty window, because there is nothing to deliver up to there."""
        assert self.is_empty
        self.cursor = cursor
