"""The events of one destination that are neither delivered nor given up, in their order."""

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
    """An event; `text` is its item where that is at hand, `delivery` what came of it so far."""

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
        """When it is to be sent at the earliest; None for at once."""
        return None if self.delivery is None else self.delivery.next_attempt_at


class Window:
    """What was taken from the log and not passed by the cursor.

    Of each interaction one event is sent at a time, in the order of the log; different interactions do not wait for
    each other. The cursor is moved over what is done from the front on."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self._in_order: deque[Waiting] = deque()
        self._by_key: dict[Hashable, deque[Waiting]] = {}
        self._characters = 0
        self.undelivered = 0
        """How many events wait or are being sent."""

    @property
    def is_empty(self) -> bool:
        """Whether the cursor is past everything that was taken."""
        return not self._in_order

    def add(self, item: Item, known: Delivery | None = None) -> None:
        """Take the next event of the log, of which something may be known from before."""
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
        # What is not kept is made anew when its turn comes.
        waiting.item = item._replace(text="")
        self._by_key.setdefault(key, deque()).append(waiting)
        self.undelivered += 1

    def ready(self, now: datetime) -> Iterator[Waiting]:
        """Those that may be sent now, one of each interaction, the oldest first."""
        for queue in self._by_key.values():
            first = queue[0]
            if not first.is_sent and (first.due_at is None or first.due_at <= now):
                yield first

    def next_due(self) -> datetime | None:
        """When one may be sent that waits for its time; None when none does."""
        return min(
            (due for queue in self._by_key.values() if not queue[0].is_sent and (due := queue[0].due_at) is not None),
            default=None,
        )

    def send(self, waiting: Waiting) -> None:
        """It is being sent."""
        waiting.is_sent = True

    def tried(self, waiting: Waiting, delivery: Delivery) -> None:
        """Note what came of sending it."""
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
        """Move the cursor over all from the front on that is done; their places."""
        passed = []
        while self._in_order and self._in_order[0].is_done:
            waiting = self._in_order.popleft()
            self.cursor = waiting.cursor
            passed.append(waiting.place)
        return passed

    def advance_to(self, cursor: Cursor) -> None:
        """Move the cursor of an empty window on: nothing up to there is to be delivered."""
        assert self.is_empty
        self.cursor = cursor
