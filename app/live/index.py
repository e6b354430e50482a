"""Finds the channels that an event may concern, without a look at each of thousands."""

from collections.abc import Callable, Collection, Hashable
from typing import Generic, TypeVar

from app.feed import Entry

T = TypeVar("T", bound=Hashable)


class Index(Generic[T]):
    """Things that wait for events, by the keys of which an event that concerns them has at least one; without keys
    (None) any event may concern them."""

    def __init__(self, keys_of: Callable[[Entry], Collection[Hashable]]) -> None:
        self._keys_of = keys_of
        self._any: dict[T, None] = {}
        self._by_key: dict[Hashable, dict[T, None]] = {}

    def add(self, one: T, keys: Collection[Hashable] | None) -> None:
        if keys is None:
            self._any[one] = None
        else:
            for key in keys:
                self._by_key.setdefault(key, {})[one] = None

    def remove(self, one: T, keys: Collection[Hashable] | None) -> None:
        """Forget it; `keys` are those that it was added with."""
        self._any.pop(one, None)
        for key in keys or ():
            found = self._by_key.get(key, {})
            found.pop(one, None)
            if not found:
                self._by_key.pop(key, None)

    def concerned(self, entry: Entry) -> Collection[T]:
        """What the event may concern, each once."""
        if not self._by_key:
            return self._any
        found = dict(self._any)
        for key in self._keys_of(entry):
            found.update(self._by_key.get(key, {}))
        return found
