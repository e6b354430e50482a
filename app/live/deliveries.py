"""Executes and encodes items of subscriptions, once for all equal ones."""

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import orjson
import structlog

from app.core.clock import Clock
from app.core.errors import RateLimited, Timeout, Unavailable
from app.core.fairness import Caller
from app.core.sight import Viewer
from app.execution import errors
from app.feed import Entry, EventStream, Feed, SnapshotStream
from app.live.channel import Channel, Maker, Matcher
from app.live.items import Item
from app.live.matchers import NOT_TAKEN, Matchers
from app.live.recipe import Reader, Recipe
from app.live.replays import Replays
from app.live.snapshots import Snapshots, SnapshotSubscriber
from app.live.subscriber import EventSubscriber
from app.selection.encoding import encoded
from app.settings import Settings
from app.storage.database import Database
from app.storage.event_log import Cursor

log = structlog.get_logger(__name__)

_MOST_PENDING = 5_000
_AT_ONCE = 64
_PAUSE_WITHOUT_DATABASE = 0.2


class Deliveries:
    """All subscriptions of this process; a listener of the feed."""

    def __init__(self, database: Database, feed: Feed, settings: Settings, clock: Clock) -> None:
        self.feed = feed
        self.reader = Reader(database, settings, clock)
        self.replays = Replays()
        self.items_made = 0
        self.items_sent = 0
        """One for each subscriber of an item's channel."""
        self._deliveries: dict[Hashable, Delivery] = {}
        self._matchers = Matchers()
        self._snapshots: dict[Hashable, Snapshots] = {}

    def __len__(self) -> int:
        """The number of open subscriptions."""
        channels = (channel for each in self._deliveries.values() for channel in each.channels.values())
        snapshots = self._snapshots.values()
        return sum(each.subscribers for each in channels) + sum(each.subscribers for each in snapshots)

    async def events(
        self,
        key: Hashable,
        share: Hashable,
        stream: EventStream,
        recipe: Recipe,
        matcher: Matcher,
        caller: Caller,
        cursor: Cursor | None,
    ) -> EventSubscriber:
        """A subscriber of the caller to a stream of events, after the cursor or from now on; the feed has to be held.

        Equal `key`s share a channel, equal `share`s the execution too, and equal matchers one answer about each event.
        Raises CursorExpired, InvalidCursor."""
        cursor = await self.feed.begin(cursor, recipe.caller)
        delivery = self._deliveries.get(share)
        if delivery is None:
            delivery = self._deliveries[share] = Delivery(self, share, stream, recipe)
        channel = delivery.channels.get(key)
        if channel is None:
            channel = delivery.channels[key] = Channel(key, delivery, matcher, self.feed.number)
            self._matchers.add(channel)
        return EventSubscriber(self.feed, channel, caller, cursor, self.replays)

    def snapshots(self, key: Hashable, stream: SnapshotStream, recipe: Recipe, viewer: Viewer) -> SnapshotSubscriber:
        """A subscriber to snapshots: one now, and one after each event that changes them."""
        found = self._snapshots.get(key)
        if found is None:
            found = self._snapshots[key] = Snapshots(key, stream, recipe, viewer, self.reader, self.forget)
        return SnapshotSubscriber(found)

    def heard(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._offer(entry)
        for each in list(self._snapshots.values()):
            try:
                each.offer(entries)
            except Exception:
                log.exception(NOT_TAKEN)

    def lost(self) -> None:
        self._matchers.clear()
        deliveries, self._deliveries = self._deliveries, {}
        for delivery in deliveries.values():
            for channel in delivery.channels.values():
                channel.end()

    def leave(self, channel: Channel) -> None:
        """Offer a channel nothing more."""
        self._matchers.remove(channel)

    def _offer(self, entry: Entry) -> None:
        """Queue an entry for the channels that want it."""
        wanted: dict[tuple[Maker, str], list[Channel]] = {}
        for as_what, channels in self._matchers.matching(entry):
            for channel in channels:
                wanted.setdefault((channel.maker, as_what), []).append(channel)
        for (maker, as_what), those in wanted.items():
            maker.offer(entry, as_what, those)

    def forget(self, delivery: "Delivery | Snapshots") -> None:
        """Remove a delivery without subscribers."""
        kept: dict[Hashable, Any] = self._deliveries if isinstance(delivery, Delivery) else self._snapshots
        if kept.get(delivery.key) is delivery:
            del kept[delivery.key]


class Delivery:
    """One selection with the channels of the items that are made by it."""

    def __init__(self, deliveries: Deliveries, key: Hashable, stream: EventStream, recipe: Recipe) -> None:
        self.key = key
        self.stream = stream
        self.channels: dict[Hashable, Channel] = {}
        self._deliveries = deliveries
        self._recipe = recipe
        self._pending: list[tuple[Entry, str, list[Channel]]] = []
        self._worker: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        return bool(self._pending) or self._worker is not None

    def offer(self, entry: Entry, as_what: str, channels: list[Channel]) -> None:
        self._pending.append((entry, as_what, channels))
        if len(self._pending) > _MOST_PENDING:
            self._pending.clear()
            for channel in self.channels.values():
                channel.skip(entry.number)
        elif self._worker is None:
            self._worker = asyncio.create_task(self._work())

    def leave(self, channel: Channel) -> None:
        """Called when a subscriber of the channel is gone."""
        channel.subscribers -= 1
        if channel.subscribers:
            return
        if self.channels.get(channel.key) is channel:
            del self.channels[channel.key]
            self._deliveries.leave(channel)
        if not self.channels:
            self._deliveries.forget(self)
            if self._worker is not None:
                self._worker.cancel()

    async def texts(self, wanted: Sequence[tuple[Entry, str]]) -> Sequence[str]:
        """The encoded items of events, read together. Waits while the database is unavailable."""
        rows = [self.stream.row(entry, as_what) for entry, as_what in wanted]
        while True:
            try:
                return await self._read(rows)
            except (Unavailable, RateLimited):
                await asyncio.sleep(_PAUSE_WITHOUT_DATABASE)
            except Exception as error:
                if len(rows) > 1:
                    # One of them is at fault: the others go out as they should.
                    return [(await self.texts([each]))[0] for each in wanted]
                if isinstance(error, Timeout):
                    return [_failed(errors.entry(error.message, error.code))]
                log.exception("an item of a subscription cannot be made")
                return [_failed(errors.internal())]

    async def _read(self, rows: Sequence[Mapping[str, object]]) -> Sequence[str]:
        made = await self._deliveries.reader.each(self._recipe, rows)
        return [encoded({"data": {self._recipe.key: each}}).decode() for each in made]

    async def _work(self) -> None:
        try:
            while self._pending:
                some, self._pending = self._pending[:_AT_ONCE], self._pending[_AT_ONCE:]
                texts = await self.texts([(entry, as_what) for entry, as_what, _ in some])
                stirred: dict[Channel, None] = {}
                self._deliveries.items_made += len(texts)
                for text, (entry, _, channels) in zip(texts, some, strict=True):
                    item = Item(text, entry)
                    for channel in channels:
                        if channel.dropped < entry.number:
                            channel.publish(item)
                            self._deliveries.items_sent += channel.subscribers
                            stirred[channel] = None
                for channel in stirred:
                    channel.stir()
        finally:
            self._worker = None


def _failed(entry: errors.Entry) -> str:
    return orjson.dumps({"data": None, "errors": [entry]}).decode()
