"""An inverted index from keys of events to interested channels."""

from collections.abc import Callable, Collection, Hashable
from typing import Generic, TypeVar

from app.feed import Entry

T = TypeVar("T", bound=Hashable)


class Index(Generic[T]):
    """Values by the keys of events that may concern them. A value without keys (None) is concerned by every event."""

    def __init__(self, keys_of: Callable[[Entry], Collection[Hashable]]) -> None:
        self._keys_of = keys_of
        self._any: dict[T, None] = {}
        self._by_key: dict[Hashable, dict[T, None]] = {}

    def add(self, one: T, keys: Collection[Hashable] | None) -> None:
        """Add the value under each of the keys, or without keys (None)."""
        if keys is None:
            self._any[one] = None
        else:
            for key in keys:
                self._by_key.setdefault(key, {})[one] = None

    def remove(self, one: T, keys: Collection[Hashable] | None) -> None:
        """Remove the value, which was added with these `keys`."""
        self._any.pop(one, None)
        for key in keys or ():
            found = self._by_key.get(key, {})
            found.pop(one, None)
            if not found:
                self._by_key.pop(key, None)

    def concerned(self, entry: Entry) -> Collection[T]:
        """The values that the event may concern, each once."""
        if not self._by_key:
            return self._any
        found = dict(self._any)
        for key in self._keys_of(entry):
            found.update(self._by_key.get(key, {}))
        return found
