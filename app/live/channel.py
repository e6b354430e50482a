"""Channels: the latest items of equal subscriptions, kept for a moment."""

from collections import deque
from collections.abc import Collection, Hashable, Sequence
from typing import Protocol

from app.feed import Entry, EventStream, Waiting
from app.feed.stream import Match
from app.live.items import Item

MOST_ITEMS = 256
MOST_CHARACTERS = 512 * 1024


class Maker(Protocol):
    """What makes the items of a channel."""

    @property
    def stream(self) -> EventStream:
        """The stream that the events come from."""

    @property
    def is_busy(self) -> bool:
        """Whether items of events that were heard of are still to be published."""

    async def texts(self, wanted: Sequence[tuple[Entry, str]]) -> Sequence[str]:
        """The encoded items of events."""

    def leave(self, channel: "Channel") -> None:
        """A subscriber of the channel is gone."""


class Channel:
    """The latest items of equal subscriptions, kept for a moment; who falls behind them reads the log again.

    `first` counts the items that are not kept any more, `dropped` is the tail's number of the last of them: a
    subscriber that has seen everything up to it finds the rest here."""

    __slots__ = (
        "_size",
        "broken",
        "dropped",
        "first",
        "items",
        "key",
        "keys",
        "maker",
        "match",
        "subscribers",
        "waiting",
    )

    def __init__(self, key: object, maker: Maker, match: Match, keys: Collection[Hashable] | None, number: int) -> None:
        self.key = key
        self.maker = maker
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
