"""Reads the event log again for subscribers that are behind."""

from collections.abc import Sequence

from app.core.fairness import Caller, Turn, Turns
from app.feed import Entry, Feed, Page
from app.live.channel import Channel
from app.live.items import Item
from app.storage.event_log import Cursor

READ_AT_ONCE = 2
"""How many replays of all callers read at once, one of each caller: fewer than SQLite has readers by default, so that
deliveries of new events do not wait for them."""

CHUNKS = 256
CHUNKS_OF_CALLER = 64
"""How many replays hold items that their clients have not taken yet, in all and of one caller."""

CHARACTERS_IN_CHUNK = 32 * 1024
"""The most characters that one replay holds, unless a single item has more."""

ITEMS_IN_CHUNK = 16
_FEWEST_EVENTS = 16
_FIRST_EVENTS = 64
_MOST_EVENTS = 256


class Replays:
    """The state that the replays of a process share."""

    def __init__(self) -> None:
        self.reading = Turns(READ_AT_ONCE, each=1)
        self.room = Turns(CHUNKS, each=CHUNKS_OF_CALLER)


class Replay:
    """The part of the log that one subscriber has to read. It holds one chunk of items, and only during its turn."""

    __slots__ = ("_caller", "_channel", "_feed", "_most_events", "_most_items", "_replays", "_turn", "cursor", "items")

    def __init__(self, feed: Feed, channel: Channel, caller: Caller, cursor: Cursor, replays: Replays) -> None:
        self.cursor = cursor
        self.items: list[Item] = []  # few, and an empty deque is larger than all the rest
        self._feed = feed
        self._channel = channel
        self._caller = caller
        self._most_events = _FIRST_EVENTS
        self._most_items = ITEMS_IN_CHUNK
        self._replays = replays
        self._turn: Turn | None = None

    async def read(self) -> int | None:
        """Read the next items after the cursor. The tail's number when they reach its head, None before.

        Raises CursorExpired when the log does not hold them all any more."""
        maker, match = self._channel.maker, self._channel.matcher.match
        some: list[tuple[Entry, str]] = []

        def fills(entry: Entry) -> bool:
            if (as_what := match(entry)) is not None:
                some.append((entry, as_what))
            return len(some) == self._most_items

        self._turn = await self._replays.room.take(self._caller)
        async with self._replays.reading.of(self._caller):
            page = await self._feed.since(self.cursor, self._most_events, ("replays", self._caller), fills)
            texts = _fitting(await maker.texts(some)) if some else ()
        self.items.extend(Item(text, entry) for text, (entry, _) in zip(texts, some, strict=False))
        self._adapt(page, len(some), len(texts))
        if len(texts) < len(some):
            # What does not fit is read another time, so that nothing is held of it.
            self.cursor = some[len(texts) - 1][0].cursor
            return None
        self.cursor = page.cursor
        return page.number

    def taken(self) -> None:
        """End the turn: the client has taken the chunk, or is gone."""
        if self._turn is not None:
            self._turn.end()
            self._turn = None

    def _adapt(self, page: Page, matched: int, fitting: int) -> None:
        """Choose how many events to read, so that their items fill about one chunk."""
        if matched < self._most_items:
            self._most_events = min(self._most_events * 2, _MOST_EVENTS)
        elif page.left >= len(page.entries):
            self._most_events = max(self._most_events // 2, _FEWEST_EVENTS)
        self._most_items = fitting if fitting < matched else min(self._most_items * 2, ITEMS_IN_CHUNK)


def _fitting(texts: Sequence[str]) -> Sequence[str]:
    """The first texts that a chunk has room for, at least one."""
    size = 0
    for number, text in enumerate(texts):
        size += len(text)
        if size > CHARACTERS_IN_CHUNK and number:
            return texts[:number]
    return texts
