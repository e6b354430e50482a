"""Channels: the latest items of equal subscriptions, buffered briefly."""

from collections import deque
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from app.feed import Entry, EventStream, Waiting
from app.feed.stream import Key, Match, ValuesOf
from app.live.items import Item

MOST_ITEMS = 256
MOST_CHARACTERS = 512 * 1024


class Maker(Protocol):
    """Makes the items of a channel."""

    @property
    def stream(self) -> EventStream:
        """The stream of the channel's events."""

    @property
    def is_busy(self) -> bool:
        """Whether items of events that were received are still to be published."""

    def offer(self, entry: Entry, as_what: str, channels: list["Channel"]) -> None:
        """Queue an entry for channels that match it."""

    async def texts(self, wanted: Sequence[tuple[Entry, str]]) -> Sequence[str]:
        """The encoded items of events."""

    def leave(self, channel: "Channel") -> None:
        """Called when a subscriber of the channel is gone."""


class Channel:
    """A buffer of the latest items of equal subscriptions; a subscriber that falls behind it reads the log again.

    `first` is the number of items that were dropped from it, `dropped` the tail's number of the last of them: a
    subscriber that has seen everything up to it finds the rest here."""

    __slots__ = (
        "_size",
        "broken",
        "dropped",
        "first",
        "items",
        "key",
        "maker",
        "matcher",
        "subscribers",
        "waiting",
    )

    def __init__(self, key: object, maker: Maker, matcher: "Matcher", number: int) -> None:
        self.key = key
        self.maker = maker
        self.matcher = matcher
        self.items: deque[Item] = deque()
        self.first = 0
        self.dropped = number
        self.broken = False
        self.subscribers = 0
        self.waiting = Waiting()
        self._size = 0

    def publish(self, item: Item) -> None:
        """Append an item; `stir` wakes the subscribers."""
        self.items.append(item)
        self._size += len(item.text)
        while len(self.items) > MOST_ITEMS or (self._size > MOST_CHARACTERS and len(self.items) > 1):
            self._drop()

    def skip(self, number: int) -> None:
        """Drop everything up to the tail's number: subscribers have to read the log for it."""
        while self.items:
            self._drop()
        self.dropped = number
        self.waiting.stir()

    def stir(self) -> None:
        """Wake the subscribers that wait for the next item."""
        self.waiting.stir()

    def end(self) -> None:
        """Called when events are lost; ends every subscriber."""
        self.broken = True
        self.waiting.stir()

    def _drop(self) -> None:
        item = self.items.popleft()
        self._size -= len(item.text)
        self.first += 1
        if item.entry is not None:
            self.dropped = item.entry.number


@dataclass(slots=True, eq=False)
class Matcher:
    """Decides which events are sent. Channels share it when their `key` is equal: field, arguments and viewer.

    An event that matches has the value of one of the `keys` among those that `values_of` gives for its name; None where
    it may have none."""

    key: Hashable
    match: Match
    keys: Collection[Key] | None
    values_of: ValuesOf
    channels: dict[Channel, None] = field(default_factory=dict)
