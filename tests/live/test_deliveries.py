"""Which subscriptions an event is offered to: those that it may concern, whatever documents there are beside them."""

from collections.abc import Collection, Hashable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from app.core.events import EventRecord, LoggedEvent
from app.feed import Entry, EventStream
from app.live.deliveries import Deliveries
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
    """Subscriptions with a document each, and which of them are asked about events."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.looked = 0
        self.fails = ""
        self.deliveries = Deliveries(NOTHING, cast("Any", Tail()), Settings(), ManualClock())
        self._stream = EventStream("X", NOTHING, NOTHING, keys_of=self._keys_of)

    def _keys_of(self, found: Entry) -> Collection[Hashable]:
        self.looked += 1
        return [found.event.interaction_id]

    async def subscribe(self, name: str, keys: Collection[Hashable] | None) -> EventSubscriber:
        def match(_entry: Entry) -> None:
            self.asked.append(name)
            if name == self.fails:
                raise LookupError(name)

        recipe = cast("Recipe", type("Given", (), {"caller": "me"}))
        return await self.deliveries.events(name, f"document {name}", self._stream, recipe, match, keys, "me", None)


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


async def test_subscription_that_cannot_take_an_event_harms_no_other() -> None:
    found = Asked()
    found.fails = "a"
    for name in ("a", "b"):
        await found.subscribe(name, [7])
    found.deliveries.heard([entry(7), entry(7)])
    assert found.asked == ["a", "b", "a", "b"]
