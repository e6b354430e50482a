"""Starts and stops all that answers subscriptions."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

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


class LeasesOf(NamedTuple):
    """The commands that write what others are let know of: who watches what, and which sessions are open."""

    watches: Watch
    sessions: Watch


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
    leases: LeasesOf,
) -> AsyncIterator[Live]:
    """Tail the log and check the connections until the end of the block."""
    wakeups = wakeups_for(settings.database_url, silence=settings.database_silence.total_seconds())
    feed = Feed(database, wakeups, clock, longest_silence=limits.silence_seconds)
    # Rarely, for nobody waits for them: one write a second at most, and one a minute while nothing changes.
    sessions = Watches(database, leases.sessions, renewal_seconds=60.0, pause_seconds=1.0)
    connections = Connections(feed, keys, clock, limits, sessions)
    deliveries = Deliveries(database, feed, settings, clock)
    watches = Watches(database, leases.watches)
    # In this order, so that who may not listen any more is known before anything is delivered.
    feed.on_begin(keys.forget)
    feed.listen(connections)
    feed.listen(deliveries)
    subscriptions = Subscriptions(schema, operations, streams, deliveries, watches, limits.subscriptions)
    watching, noting = asyncio.create_task(watches.run()), asyncio.create_task(sessions.run())
    running = [asyncio.create_task(feed.run()), asyncio.create_task(connections.run())]
    try:
        yield Live(feed, subscriptions, connections)
    finally:
        await connections.stop()
        await asyncio.gather(watches.stop(watching), sessions.stop(noting))
        for task in running:
            task.cancel()
        await asyncio.wait(running)
