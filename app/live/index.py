"""An inverted index from what events tell to interested channels."""

from collections.abc import Collection, Hashable
from typing import Generic, TypeVar

from app.feed import Entry
from app.feed.stream import Key, ValuesOf

T = TypeVar("T", bound=Hashable)


class Index(Generic[T]):
    """Members by the keys of events that may concern them. A member without keys (None) is concerned by every event."""

    def __init__(self, values_of: ValuesOf) -> None:
        self._values_of = values_of
        self._any: dict[T, None] = {}
        self._by_name: dict[str, dict[object, dict[T, None]]] = {}

    def add(self, one: T, keys: Collection[Key] | None) -> None:
        """Add the member under each of the keys, or without keys (None)."""
        if keys is None:
            self._any[one] = None
        else:
            for name, value in keys:
                self._by_name.setdefault(name, {}).setdefault(value, {})[one] = None

    def remove(self, one: T, keys: Collection[Key] | None) -> None:
        """Remove the member, which was added with these `keys`."""
        self._any.pop(one, None)
        for name, value in keys or ():
            by_value = self._by_name.get(name, {})
            found = by_value.get(value, {})
            found.pop(one, None)
            if not found:
                by_value.pop(value, None)
            if not by_value:
                self._by_name.pop(name, None)

    def concerned(self, entry: Entry) -> Collection[T]:
        """The members that the event may concern, each once. It is asked only for names by which somebody listens."""
        found: dict[T, None] = {}
        for name, by_value in self._by_name.items():
            for value in self._values_of(entry, name):
                found.update(by_value.get(value, {}))
        return {**self._any, **found} if found else self._any
