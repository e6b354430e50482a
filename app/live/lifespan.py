"""Starts and stops all that answers subscriptions."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from graphql import GraphQLSchema

from app.core.clock import Clock
from app.core.credentials import KnownKeys
from app.execution.operation import Operations
from app.feed import Feed, Stream, wakeups_for
from app.live.connections import ConnectionLimits, Connections
from app.live.deliveries import Deliveries
from app.live.subscriptions import Subscriptions
from app.live.watching import Watch, Watches
from app.settings import Settings
from app.storage.database import Database


@dataclass(frozen=True, slots=True)
class Live:
    """The parts of one process that answer subscriptions."""

    feed: Feed
    subscriptions: Subscriptions
    connections: Connections


@asynccontextmanager
async def live(
    schema: GraphQLSchema,
    streams: Mapping[str, Stream],
    operations: Operations,
    database: Database,
    keys: KnownKeys,
    settings: Settings,
    clock: Clock,
    limits: ConnectionLimits,
    watch: Watch,
) -> AsyncIterator[Live]:
    """Tail the log and check the connections until the end of the block."""
    wakeups = wakeups_for(settings.database_url, silence=settings.database_silence.total_seconds())
    feed = Feed(database, wakeups, clock, longest_silence=limits.silence_seconds)
    connections = Connections(feed, keys, clock, limits)
    deliveries = Deliveries(database, feed, settings, clock)
    watches = Watches(database, watch)
    # In this order, so that who may not listen any more is known before anything is delivered.
    feed.on_begin(keys.forget)
    feed.listen(connections)
    feed.listen(deliveries)
    subscriptions = Subscriptions(schema, operations, streams, deliveries, watches, limits.subscriptions)
    watching = asyncio.create_task(watches.run())
    running = [asyncio.create_task(feed.run()), asyncio.create_task(connections.run())]
    try:
        yield Live(feed, subscriptions, connections)
    finally:
        await connections.stop()
        await watches.stop(watching)
        for task in running:
            task.cancel()
        await asyncio.wait(running)
