from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from app.core.events import EventRecord, LoggedEvent
from app.feed import Entry
from app.live.index import Index
from app.storage.event_log import Cursor


def entry(number: int) -> Entry:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    return Entry(
        LoggedEvent(lane=0, position=1, at=at, event=EventRecord(topic="x", interaction_id=number)), Cursor((1,))
    )


def values_of(found: Entry, name: str) -> Collection[object]:
    number = found.event.interaction_id or 0
    values: Mapping[str, Collection[object]] = {"id": [number], "odd": [bool(number % 2)], "digits": str(number)}
    return values[name]


def test_only_what_has_a_key_of_the_event_or_none_is_found() -> None:
    index: Index[str] = Index(values_of)
    index.add("any", None)
    assert list(index.concerned(entry(1))) == ["any"]
    index.add("one", [("id", 1)])
    index.add("one or odd", [("id", 1), ("odd", True)])
    index.add("nothing", [])
    assert list(index.concerned(entry(1))) == ["any", "one", "one or odd"]
    assert list(index.concerned(entry(3))) == ["any", "one or odd"]
    assert list(index.concerned(entry(2))) == ["any"]


def test_what_is_removed_is_found_no_more_and_leaves_nothing() -> None:
    index: Index[str] = Index(values_of)
    index.add("any", None)
    index.add("a", [("id", 1)])
    index.add("b", [("id", 1), ("odd", True)])
    index.remove("b", [("id", 1), ("odd", True)])
    assert list(index.concerned(entry(1))) == ["any", "a"]
    index.remove("a", [("id", 1)])
    index.remove("any", None)
    index.remove("nothing", [])
    assert vars(index) == {"_values_of": values_of, "_any": {}, "_by_name": {}}


def test_an_event_is_asked_only_for_names_that_somebody_wants() -> None:
    asked: list[str] = []

    def noted(found: Entry, name: str) -> Collection[object]:
        asked.append(name)
        return values_of(found, name)

    index: Index[str] = Index(noted)
    index.add("a", [("id", 1), ("id", 2)])
    index.add("b", [("id", 1), ("odd", True)])
    assert list(index.concerned(entry(1))) == ["a", "b"]
    index.remove("a", [("id", 1), ("id", 2)])
    assert list(index.concerned(entry(1))) == ["b"]
    index.add("a", [("id", 2)])
    index.remove("b", [("id", 1), ("odd", True)])
    assert list(index.concerned(entry(2))) == ["a"]
    assert asked == ["id", "odd", "id", "odd", "id"]


def test_a_member_is_found_once_by_whatever_value_of_its_name() -> None:
    index: Index[str] = Index(values_of)
    index.add("a", [("digits", "1"), ("digits", "2")])
    index.add("b", [("digits", "2")])
    assert list(index.concerned(entry(12))) == ["a", "b"]
    assert list(index.concerned(entry(13))) == ["a"]
    index.remove("a", [("digits", "1"), ("digits", "2")])
    assert list(index.concerned(entry(12))) == ["b"]
