import pytest

from app.core import events
from app.core.events import Event, EventRecord, UnknownEvent, declared_events, event, event_type


@pytest.fixture(autouse=True)
def _declared_for_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_DECLARED", dict(events._DECLARED))


def test_a_record_holds_the_fields_of_its_event() -> None:
    @event("book.lent")
    class Lent(Event):
        reader_id: int
        days: int

    record = Lent(reader_id=4, days=14).record(actor_id=2, version=3, more={"changes": []})
    assert record == EventRecord(
        topic="book.lent", actor_id=2, version=3, data={"reader_id": 4, "days": 14, "changes": []}
    )
    assert record.type is Lent
    assert Lent.of(record) == Lent(reader_id=4, days=14)
    assert Lent in set(declared_events())


def test_an_event_of_every_kind_has_the_topic_of_its_kind() -> None:
    @event("*.shelved")
    class Shelved(Event):
        pass

    record = Shelved().record(kind="book", interaction_id=1)
    assert (record.topic, record.kind) == ("book.shelved", "book")
    assert event_type("book.shelved") is event_type("film.shelved") is Shelved


def test_the_event_of_one_kind_is_not_that_of_all() -> None:
    @event("*.shelved")
    class Shelved(Event):
        pass

    @event("film.shelved")
    class Banned(Event):
        pass

    assert (event_type("film.shelved"), event_type("book.shelved")) == (Banned, Shelved)


def test_two_events_have_two_topics() -> None:
    @event("book.lent")
    class Lent(Event):
        pass

    with pytest.raises(ValueError, match=r"Two events have the topic book\.lent\."):
        event("book.lent")(Lent)


def test_what_another_version_told_is_read_too() -> None:
    assert event_type("book.burnt") is None
    assert EventRecord(topic="book.burnt", kind="book").type is Event
    # It may say that a user is locked out.
    unknown = EventRecord(topic="user.locked").type
    assert unknown is UnknownEvent
    assert unknown.concerns_keys


def test_a_field_that_an_older_version_did_not_write_is_none() -> None:
    @event("book.lent")
    class Lent(Event):
        reader_id: int
        days: int | None

    assert Lent.of(EventRecord(topic="book.lent", data={"reader_id": 4})) == Lent(reader_id=4, days=None)
