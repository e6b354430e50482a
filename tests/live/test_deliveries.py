"""Which subscriptions an event is offered to: those that it may concern, whatever documents there are beside them."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from app.core.events import EventRecord, LoggedEvent
from app.feed import Entry, EventStream
from app.live.channel import Channel, Matcher
from app.live.deliveries import Deliveries, Delivery
from app.live.matchers import Matchers
from app.live.recipe import Recipe
from app.live.subscriber import EventSubscriber
from app.settings import Settings
from app.storage.event_log import Cursor
from tests.conftest import ManualClock

pytestmark = pytest.mark.anyio

MANY = 1_000
NOTHING = cast("Any", None)


class Tail:
    """A feed that stands at the beginning of the log."""

    number = 0
    head = Cursor((0,))

    async def begin(self, _cursor: Cursor | None, _caller: object) -> Cursor:
        return self.head


def entry(number: int) -> Entry:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    event = EventRecord(topic="x", interaction_id=number)
    return Entry(LoggedEvent(lane=0, position=1, at=at, event=event), Cursor((1,)), 1)


class Asked:
    """Subscriptions with a document each, and which of their filters are asked about events."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.looked = 0
        self.fails = ""
        self.deliveries = Deliveries(NOTHING, cast("Any", Tail()), Settings(), ManualClock())
        self._stream = EventStream("X", NOTHING, NOTHING, values_of=self._values_of)

    def _values_of(self, found: Entry, _name: str) -> Collection[object]:
        self.looked += 1
        return [found.event.interaction_id]

    async def subscribe(
        self, name: str, keys: Collection[int] | None, filter_: str | None = None, as_what: str | None = None
    ) -> EventSubscriber:
        asks = name if filter_ is None else filter_

        def match(_entry: Entry) -> str | None:
            self.asked.append(asks)
            if asks == self.fails:
                raise LookupError(asks)
            return as_what

        recipe = cast("Recipe", type("Given", (), {"caller": "me"}))
        wanted = None if keys is None else [("id", each) for each in keys]
        matcher = Matcher(asks, match, wanted, self._values_of)
        return await self.deliveries.events(name, f"document {name}", self._stream, recipe, matcher, "me", None)


async def test_event_is_offered_to_those_it_may_concern_however_many_documents_there_are() -> None:
    found = Asked()
    await found.subscribe("any", None)
    subscribers = [await found.subscribe(str(number), [number]) for number in range(MANY)]
    found.deliveries.heard([entry(7), entry(MANY)])
    assert (found.asked, found.looked) == (["any", "7", "any"], 2)
    subscribers[7].close()
    found.deliveries.heard([entry(7)])
    assert found.asked[3:] == ["any"]
    found.deliveries.lost()
    found.deliveries.heard([entry(8)])
    assert len(found.asked) == 4


async def test_filter_is_asked_once_about_an_event_however_many_documents_have_it() -> None:
    found = Asked()
    keys: dict[str, Collection[int] | None] = {"all": None, "seven": [7], "eight": [8]}
    subscribers = {
        filter_: [await found.subscribe(f"{filter_} {number}", wanted, filter_) for number in range(MANY)]
        for filter_, wanted in keys.items()
    }
    found.deliveries.heard([entry(7), entry(8)])
    assert found.asked == ["all", "seven", "all", "eight"]
    # As long as one is left that has it.
    for each in subscribers["seven"][1:]:
        each.close()
    found.deliveries.heard([entry(7)])
    assert found.asked[4:] == ["all", "seven"]
    subscribers["seven"][0].close()
    found.deliveries.heard([entry(7)])
    assert found.asked[6:] == ["all"]
    # Those that lost their place leave those alone that came after them.
    found.deliveries.lost()
    after = [await found.subscribe("after the loss", None, "all")]
    for each in subscribers["all"]:
        each.close()
    after.append(await found.subscribe("later", None, "all"))
    found.deliveries.heard([entry(8)])
    assert found.asked[7:] == ["all"]
    for each in after:
        each.close()
    found.deliveries.heard([entry(8)])
    assert found.asked[8:] == []


def test_filter_that_nobody_has_any_more_leaves_nothing() -> None:
    def values_of(_entry: Entry, _name: str) -> Collection[object]:
        return [1]

    matchers = Matchers()
    channels = [Channel(name, NOTHING, Matcher("filter", NOTHING, [("key", 1)], values_of), 0) for name in "ab"]
    for each in channels:
        matchers.add(each)
    assert channels[0].matcher is channels[1].matcher
    for each in channels:
        matchers.remove(each)
    (index,) = vars(matchers)["_indexes"].values()
    assert (vars(matchers)["_by_key"], index.concerned(entry(1))) == ({}, {})


async def test_event_goes_to_every_document_whose_filter_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Asked()
    offered: list[tuple[object, str, list[object]]] = []
    monkeypatch.setattr(
        Delivery, "offer", lambda of, _entry, as_what, those: offered.append((of.key, as_what, [c.key for c in those]))
    )
    for name, filter_, as_what in (("a", "x", "ENTERED"), ("b", "x", "ENTERED"), ("c", "y", "LEFT"), ("d", "z", None)):
        await found.subscribe(name, None, filter_, as_what)
    found.deliveries.heard([entry(7)])
    assert found.asked == ["x", "y", "z"]
    assert offered == [
        ("document a", "ENTERED", ["a"]),
        ("document b", "ENTERED", ["b"]),
        ("document c", "LEFT", ["c"]),
    ]


async def test_subscription_that_cannot_take_an_event_harms_no_other() -> None:
    found = Asked()
    found.fails = "a"
    for name in ("a", "b"):
        await found.subscribe(name, [7])
    found.deliveries.heard([entry(7), entry(7)])
    assert found.asked == ["a", "b", "a", "b"]
