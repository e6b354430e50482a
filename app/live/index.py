"""An inverted index from keys of events to interested channels."""

from collections import Counter
from collections.abc import Collection, Hashable
from typing import Generic, TypeVar

from app.feed import Entry
from app.feed.stream import Key, KeysOf

T = TypeVar("T", bound=Hashable)


class Index(Generic[T]):
    """Values by the keys of events that may concern them. A value without keys (None) is concerned by every event."""

    def __init__(self, keys_of: KeysOf) -> None:
        self._keys_of = keys_of
        self._any: dict[T, None] = {}
        self._by_key: dict[Key, dict[T, None]] = {}
        self._names = Counter[str]()
        """How many keys there are of each name. An event is asked for no others."""

    def add(self, one: T, keys: Collection[Key] | None) -> None:
        """Add the value under each of the keys, or without keys (None)."""
        if keys is None:
            self._any[one] = None
        else:
            for key in keys:
                if key not in self._by_key:
                    self._by_key[key] = {}
                    self._names[key[0]] += 1
                self._by_key[key][one] = None

    def remove(self, one: T, keys: Collection[Key] | None) -> None:
        """Remove the value, which was added with these `keys`."""
        self._any.pop(one, None)
        for key in keys or ():
            found = self._by_key.get(key)
            if found is None:
                continue
            found.pop(one, None)
            if not found:
                del self._by_key[key]
                self._names[key[0]] -= 1
                if not self._names[key[0]]:
                    del self._names[key[0]]

    def concerned(self, entry: Entry) -> Collection[T]:
        """The values that the event may concern, each once."""
        if not self._by_key:
            return self._any
        found = dict(self._any)
        for key in self._keys_of(entry, self._names):
            found.update(self._by_key.get(key, {}))
        return found
