"""Channels, which equal subscriptions share, and the place of each subscriber in one."""

from collections import deque
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from app.core.errors import CursorExpired
from app.feed import Entry, Feed, Waiting
from app.storage.event_log import Cursor

if TYPE_CHECKING:
    from app.feed.stream import Match
    from app.transport.deliveries import Delivery

MOST_ITEMS = 256
MOST_CHARACTERS = 512 * 1024
_AT_ONCE = 16
_CHARACTERS_AT_ONCE = 32 * 1024


class Item(NamedTuple):
    """One answer of a subscription, encoded; `cursor` is what to go on from after it, where there is such a thing."""

    text: str
    entry: Entry | None = None

    @property
    def cursor(self) -> str | None:
        return None if self.entry is None else self.entry.cursor_text


class Subscriber(Protocol):
    """One running subscription."""

    async def next(self) -> Item:
        """The next item. Raises CursorExpired when what comes next is lost; then it has ended."""

    def ready(self) -> Sequence[Item]:
        """The items after it that are there already: a handful, so that they go out in one write."""

    def close(self) -> None:
        """Listen no more."""


class Channel:
    """The latest items of equal subscriptions, kept for a moment; who falls behind them reads the log again.

    `first` counts the items that are not kept any more, `dropped` is the tail's number of the last of them: a
    subscriber that has seen everything up to it finds the rest here."""

    __slots__ = (
        "_size",
        "broken",
        "delivery",
        "dropped",
        "first",
        "items",
        "key",
        "keys",
        "match",
        "subscribers",
        "waiting",
    )

    def __init__(
        self, key: object, delivery: "Delivery", match: "Match", keys: Collection[Hashable] | None, number: int
    ) -> None:
        self.key = key
        self.delivery = delivery
        self.match = match
        self.keys = keys
        self.items: deque[Item] = deque()
        self.first = 0
        self.dropped = number
        self.broken = False
        self.subscribers = 0
        self.waiting = Waiting()
        self._size = 0

    def publish(self, item: Item) -> None:
        """Add an item; `stir` tells the subscribers of it."""
        self.items.append(item)
        self._size += len(item.text)
        while len(self.items) > MOST_ITEMS or (self._size > MOST_CHARACTERS and len(self.items) > 1):
            self._drop()

    def skip(self, number: int) -> None:
        """Leave out everything up to the tail's number: whoever listens has to read the log."""
        while self.items:
            self._drop()
        self.dropped = number
        self.waiting.stir()

    def stir(self) -> None:
        self.waiting.stir()

    def end(self) -> None:
        """Events are lost; every subscriber ends."""
        self.broken = True
        self.waiting.stir()

    def _drop(self) -> None:
        item = self.items.popleft()
        self._size -= len(item.text)
        self.first += 1
        if item.entry is not None:
            self.dropped = item.entry.number


class EventSubscriber:
    """A place in a channel. It holds no items of its own but for a handful while it reads the log again."""

    __slots__ = ("_again", "_channel", "_closed", "_cursor", "_feed", "_number", "_place", "_unmade", "on_close")

    def __init__(self, feed: Feed, channel: Channel, cursor: Cursor) -> None:
        self._feed = feed
        self._channel = channel
        self._cursor = cursor
        # The tail's number of the last event that was passed; None while the log is read again.
        self._number = feed.number if feed.head <= cursor else None
        self._place = channel.first + len(channel.items)
        self._again: deque[Item] = deque()
        self._unmade: Sequence[tuple[Entry, str]] = ()
        self._closed = False
        self.on_close: Callable[[], None] | None = None
        channel.subscribers += 1

    async def next(self) -> Item:
        channel = self._channel
        while True:
            if channel.broken:
                raise CursorExpired("Events were lost; read the state anew and subscribe from there.")
            if self._again or self._unmade:
                return await self._made_again()
            number = self._number
            if number is None or channel.dropped > number:
                await self._read_again()
                continue
            item = self._kept(number)
            if item is not None:
                return item
            await channel.waiting.wait()

    def ready(self) -> Sequence[Item]:
        channel = self._channel
        if self._place == channel.first + len(channel.items):
            return ()
        found: list[Item] = []
        characters = 0
        while len(found) < _AT_ONCE and characters < _CHARACTERS_AT_ONCE:
            number = self._number
            if number is None or channel.broken or channel.dropped > number or self._again or self._unmade:
                break
            item = self._kept(number)
            if item is None:
                break
            found.append(item)
            characters += len(item.text)
        return found

    def _kept(self, number: int) -> Item | None:
        """The channel's next item of an event after this number."""
        channel = self._channel
        place = max(self._place, channel.first) - channel.first
        while place < len(channel.items):
            item = channel.items[place]
            place += 1
            self._place = channel.first + place
            entry = item.entry
            assert entry is not None
            if entry.number > number:
                self._number, self._cursor = entry.number, entry.cursor
                return item
        return None

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._channel.delivery.leave(self._channel)
            if self.on_close is not None:
                self.on_close()

    async def _read_again(self) -> None:
        delivery = self._channel.delivery
        if not delivery.stream.durable:
            # What was missed is out of date.
            self._number = self._channel.dropped
            return
        self._number = None
        # Few at a time, so that a crowd that comes back at once does not keep the others waiting.
        async with delivery.turns:
            page = await self._feed.since(self._cursor)
        match = self._channel.match
        self._unmade = [(entry, as_what) for entry in page.entries if (as_what := match(entry)) is not None]
        # Taken up once the page is sent; until then the cursor is that of what was sent last.
        self._cursor, self._number = page.cursor, page.number

    async def _made_again(self) -> Item:
        if not self._again:
            delivery = self._channel.delivery
            some, self._unmade = self._unmade[:_AT_ONCE], self._unmade[_AT_ONCE:]
            async with delivery.turns:
                texts = await delivery.texts(some)
            self._again.extend(Item(text, entry) for text, (entry, _) in zip(texts, some, strict=True))
        return self._again.popleft()
