from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from app.core.events import EventRecord, LoggedEvent
from app.feed import Entry
from app.feed.stream import Key
from app.live.index import Index
from app.storage.event_log import Cursor


def entry(number: int) -> Entry:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    return Entry(
        LoggedEvent(lane=0, position=1, at=at, event=EventRecord(topic="x", interaction_id=number)), Cursor((1,))
    )


def keys_of(found: Entry, names: Iterable[str]) -> Collection[Key]:
    keys = [("id", found.event.interaction_id), ("odd", bool((found.event.interaction_id or 0) % 2))]
    return [key for key in keys if key[0] in names]


def test_only_what_has_a_key_of_the_event_or_none_is_found() -> None:
    index: Index[str] = Index(keys_of)
    index.add("any", None)
    assert list(index.concerned(entry(1))) == ["any"]
    index.add("one", [("id", 1)])
    index.add("one or odd", [("id", 1), ("odd", True)])
    index.add("nothing", [])
    assert list(index.concerned(entry(1))) == ["any", "one", "one or odd"]
    assert list(index.concerned(entry(3))) == ["any", "one or odd"]
    assert list(index.concerned(entry(2))) == ["any"]


def test_what_is_removed_is_found_no_more_and_leaves_nothing() -> None:
    index: Index[str] = Index(keys_of)
    index.add("any", None)
    index.add("a", [("id", 1)])
    index.add("b", [("id", 1), ("odd", True)])
    index.remove("b", [("id", 1), ("odd", True)])
    assert list(index.concerned(entry(1))) == ["any", "a"]
    index.remove("a", [("id", 1)])
    index.remove("any", None)
    index.remove("nothing", [])
    assert vars(index) == {"_keys_of": keys_of, "_any": {}, "_by_key": {}, "_names": {}}


def test_an_event_is_asked_only_for_names_that_somebody_wants() -> None:
    asked: list[set[str]] = []

    def noted(found: Entry, names: Iterable[str]) -> Collection[Key]:
        asked.append(set(names))
        return keys_of(found, names)

    index: Index[str] = Index(noted)
    index.add("a", [("id", 1), ("id", 2)])
    index.add("b", [("id", 1), ("odd", True)])
    assert list(index.concerned(entry(1))) == ["a", "b"]
    index.remove("a", [("id", 1), ("id", 2)])
    assert list(index.concerned(entry(1))) == ["b"]
    index.add("a", [("id", 2)])
    index.remove("b", [("id", 1), ("odd", True)])
    assert list(index.concerned(entry(2))) == ["a"]
    assert asked == [{"id", "odd"}, {"id", "odd"}, {"id"}]
