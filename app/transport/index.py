"""Finds the channels that an event may concern, without a look at each of thousands."""

from collections.abc import Callable, Collection, Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.feed import Entry
    from app.transport.channel import Channel


class Index:
    """Channels by the keys of which an event that matches has at least one; those without keys are always found."""

    def __init__(self, keys_of: "Callable[[Entry], Collection[Hashable]]") -> None:
        self._keys_of = keys_of
        self._any: dict[Channel, None] = {}
        self._by_key: dict[Hashable, dict[Channel, None]] = {}

    def add(self, channel: "Channel") -> None:
        if channel.keys is None:
            self._any[channel] = None
            return
        for key in channel.keys:
            self._by_key.setdefault(key, {})[channel] = None

    def remove(self, channel: "Channel") -> None:
        self._any.pop(channel, None)
        for key in channel.keys or ():
            found = self._by_key.get(key, {})
            found.pop(channel, None)
            if not found:
                self._by_key.pop(key, None)

    def concerned(self, entry: "Entry") -> "Collection[Channel]":
        """Those whose condition has to be asked."""
        if not self._by_key:
            return self._any
        found = dict(self._any)
        for key in self._keys_of(entry):
            found.update(self._by_key.get(key, {}))
        return found
