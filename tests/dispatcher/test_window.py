"""The order in which events are sent, and how far the cursor follows."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.core.events import EventRecord, LoggedEvent
from app.destinations.model import Attempt, Delivery, DeliveryStatus, Place
from app.dispatcher.window import Waiting, Window
from app.feed import Entry
from app.live.items import Item
from app.storage.event_log import Cursor

NOW = datetime(2026, 1, 5, tzinfo=UTC)
DELIVERED, PENDING, GIVEN_UP = DeliveryStatus.DELIVERED, DeliveryStatus.PENDING, DeliveryStatus.GIVEN_UP


def item(position: int, interaction: int | None, text: str = "x") -> Item:
    record = EventRecord(topic="conversation.closed", kind="conversation", interaction_id=interaction)
    logged = LoggedEvent(lane=0, position=position, at=NOW, event=record)
    return Item(text, Entry(logged, Cursor((position,))))


def delivery(place: Place, status: DeliveryStatus, again_at: datetime | None = None) -> Delivery:
    return Delivery(
        webhook_id="w",
        place=place,
        topic=None,
        interaction_id=None,
        status=status,
        attempts=1,
        first_attempt_at=NOW,
        next_attempt_at=again_at,
        latest=Attempt(at=NOW, latency_ms=1),
    )


def window(*interactions: int | None) -> Window:
    made = Window(Cursor((0,)))
    for position, interaction in enumerate(interactions, start=1):
        made.add(item(position, interaction))
    return made


def ready(made: Window, now: datetime = NOW) -> list[int]:
    return [each.place.position for each in made.ready(now)]


def at(made: Window, position: int) -> Waiting:
    (found,) = [each for each in made.ready(NOW) if each.place.position == position]
    return found


def test_window_sends_one_event_of_each_interaction_in_order() -> None:
    made = window(1, 1, 2, None, None)
    assert ready(made) == [1, 3, 4]
    first = at(made, 1)
    first.is_sent = True
    assert ready(made) == [3, 4]
    made.tried(first, delivery(first.place, DELIVERED))
    assert ready(made) == [2, 3, 4]
    assert made.undelivered == 4


def test_window_waits_for_the_time_of_what_failed_and_holds_back_what_follows() -> None:
    made = window(1, 1, 2)
    first = at(made, 1)
    again_at = NOW + timedelta(seconds=5)
    made.tried(first, delivery(first.place, PENDING, again_at))
    assert (ready(made), made.next_due()) == ([3], again_at)
    assert ready(made, again_at) == [1, 3]


def test_window_moves_its_cursor_over_what_is_done_from_the_front_on() -> None:
    made = window(1, 2, 3)
    second, third = at(made, 2), at(made, 3)
    made.tried(second, delivery(second.place, DELIVERED))
    made.tried(third, delivery(third.place, GIVEN_UP))
    assert (made.advance(), made.cursor) == ([], Cursor((0,)))
    first = at(made, 1)
    made.tried(first, delivery(first.place, DELIVERED))
    assert (made.advance(), made.cursor) == ([Place(0, 1), Place(0, 2), Place(0, 3)], Cursor((3,)))
    assert (made.is_empty, made.undelivered) == (True, 0)


def test_window_passes_over_what_was_delivered_before() -> None:
    made = Window(Cursor((0,)))
    made.add(item(1, 1), delivery(Place(0, 1), DELIVERED))
    made.add(item(2, 1), delivery(Place(0, 2), PENDING, NOW))
    assert (made.advance(), made.cursor, ready(made)) == ([Place(0, 1)], Cursor((1,)), [2])


def test_window_keeps_the_texts_of_a_few_items_alone() -> None:
    made = Window(Cursor((0,)))
    for position in range(1, 5):
        made.add(item(position, position, "x" * 100_000))
    kept = [each.text is not None for each in made.ready(NOW)]
    assert kept == [True, True, False, False]
    assert all(each.item.text == "" for each in made.ready(NOW))


@given(st.lists(st.tuples(st.integers(1, 3), st.lists(st.sampled_from([DELIVERED, PENDING, GIVEN_UP]), max_size=3))))
def test_window_never_overtakes_within_an_interaction_nor_passes_what_is_not_done(
    events: list[tuple[int, list[DeliveryStatus]]],
) -> None:
    made = window(*(interaction for interaction, _ in events))
    outcomes = {position: list(tries) for position, (_, tries) in enumerate(events, start=1)}
    ended: dict[int, list[int]] = {}
    done: set[int] = set()
    while found := list(made.ready(NOW)):
        for waiting in found:
            position = waiting.place.position
            status = outcomes[position].pop(0) if outcomes[position] else DELIVERED
            made.tried(waiting, delivery(waiting.place, status, NOW if status is PENDING else None))
            if status is not PENDING:
                done.add(position)
                ended.setdefault(events[position - 1][0], []).append(position)
        made.advance()
        front = made.cursor.positions[0]
        assert done.issuperset(range(1, front + 1))
    assert all(each == sorted(each) for each in ended.values())
    assert made.cursor == Cursor((len(events),))
