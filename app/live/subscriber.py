"""The position of one subscriber in a channel."""

from collections.abc import Callable, Sequence

from app.core.errors import CursorExpired
from app.core.fairness import Caller
from app.feed import Feed
from app.live.channel import Channel
from app.live.items import Item
from app.live.replays import Replay, Replays
from app.storage.event_log import EXPIRED, Cursor

_AT_ONCE = 16
_CHARACTERS_AT_ONCE = 32 * 1024


class EventSubscriber:
    """A position in a channel. It holds no items of its own but one chunk while it reads the log again."""

    __slots__ = ("_channel", "_closed", "_feed", "_number", "_place", "_replay", "on_close")

    def __init__(self, feed: Feed, channel: Channel, caller: Caller, cursor: Cursor, replays: Replays) -> None:
        self._feed = feed
        self._channel = channel
        # The tail's number of the last event that was passed; None while the log is read again.
        self._number = feed.number if feed.head <= cursor else None
        self._place = channel.first + len(channel.items)
        self._replay = Replay(feed, channel, caller, cursor, replays)
        self._closed = False
        self.on_close: list[Callable[[], None]] = []
        channel.subscribers += 1

    @property
    def cursor(self) -> str | None:
        return str(self._replay.cursor) if self._channel.maker.stream.durable else None

    async def next(self) -> Item:
        channel, replay = self._channel, self._replay
        while True:
            if channel.broken:
                raise CursorExpired(EXPIRED)
            if replay.items:
                return replay.items.pop(0)
            replay.taken()
            number = self._number
            if number is None or channel.dropped > number:
                await self._read_again()
                continue
            item = self._kept(number)
            if item is not None:
                return item
            await channel.waiting.wait()

    def ready(self) -> Sequence[Item]:
        channel, replay = self._channel, self._replay
        if replay.items:
            rest = list(replay.items)
            replay.items.clear()
            return rest
        if self._place == channel.first + len(channel.items):
            return ()
        found: list[Item] = []
        characters = 0
        while len(found) < _AT_ONCE and characters < _CHARACTERS_AT_ONCE:
            number = self._number
            if number is None or channel.broken or channel.dropped > number:
                break
            item = self._kept(number)
            if item is None:
                break
            found.append(item)
            characters += len(item.text)
        return found

    async def again(self, item: Item) -> Item:
        """The item of the same event, read from the current state."""
        entry, channel = item.entry, self._channel
        assert entry is not None
        as_what = channel.matcher.match(entry)
        assert as_what is not None
        (text,) = await channel.maker.texts([(entry, as_what)])
        return Item(text, entry)

    def passed(self) -> Cursor | None:
        """The cursor up to which every item was taken; None while an item waits or may be in preparation."""
        channel = self._channel
        waits = self._replay.items or self._place != channel.first + len(channel.items)
        if waits or self._number is None or channel.dropped > self._number or channel.maker.is_busy:
            return None
        return None if channel.broken else self._feed.head

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._replay.taken()
            self._channel.maker.leave(self._channel)
            for closed in self.on_close:
                closed()

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
                self._number, self._replay.cursor = entry.number, entry.cursor
                return item
        return None

    async def _read_again(self) -> None:
        if not self._channel.maker.stream.durable:
            # What was missed is out of date.
            self._number = self._channel.dropped
            return
        self._number = None
        self._number = await self._replay.read()
