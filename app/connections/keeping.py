"""Finds the connections that this process synchronizes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

import structlog

from app.connections.events import ConnectionEvent
from app.connections.keeper import Keeper, KeeperLimits
from app.connections.reach import SystemReach, bucket_for
from app.connections.service import reachable
from app.connections.service.reaching import Reachable
from app.connections.service.systems import Connectors
from app.core.clock import Clock
from app.core.errors import DATABASE_AWAY
from app.core.holders import new_holder
from app.feed import Entry, Feed
from app.outbound import OutboundClient
from app.storage.database import Database
from app.storage.event_log import Appended

LOOK = 5.0
"""Seconds between two searches for connections. Without any connection, it is the longer `SELDOM`."""

SELDOM = 30.0

AFTER_COMMIT = 1.0
"""Seconds to the next search when there are no connections and this process changes something: it may be a new one."""

_log = structlog.get_logger(__name__)


class Keepers:
    """Each process has one. A lease assigns each connection to one process."""

    def __init__(
        self,
        database: Database,
        connectors: Connectors,
        feed: Feed,
        client: OutboundClient,
        clock: Clock,
        limits: KeeperLimits,
    ) -> None:
        self._database = database
        self._connectors = connectors
        self._feed = feed
        self._client = client
        self._clock = clock
        self._limits = limits
        self._holder = new_holder()
        self._kept: dict[int, tuple[Keeper, int, asyncio.Task[None]]] = {}
        self._stirred = asyncio.Event()
        self._soon: asyncio.TimerHandle | None = None
        database.on_commit(self._committed)

    def heard(self, entries: Sequence[Entry]) -> None:
        """Wake the keeper of a connection to which something happened; a listener of the feed."""
        for entry in entries:
            if issubclass(entry.type, ConnectionEvent):
                kept = self._kept.get(entry.event.data["connection_id"])
                if kept is not None and entry.event.data.get("lists"):
                    kept[0].poll_now()
                elif kept is not None:
                    kept[0].wake()
                if entry.event.version is not None:
                    self._stirred.set()

    def lost(self) -> None:
        """Check everything again."""
        for keeper, _, _ in self._kept.values():
            keeper.wake()

    def _committed(self, _appended: Sequence[Appended]) -> None:
        """Something was committed in this process. While no connection is kept, the feed does not say what."""
        if not self._kept and self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(AFTER_COMMIT, self._look_soon)

    def _look_soon(self) -> None:
        self._soon = None
        self._stirred.set()

    async def run(self) -> None:
        """Until cancelled, keep the connections that need it."""
        async with AsyncExitStack() as held:
            listening = False
            while True:
                pause = LOOK
                try:
                    systems = await self._database.command(reachable, self._connectors)
                    pause = LOOK if systems else SELDOM
                    await self._keep(systems)
                    if systems and not listening:
                        await held.enter_async_context(self._feed.held())
                        listening = True
                except DATABASE_AWAY:
                    pause = 1.0
                except Exception:
                    _log.exception("connections cannot be looked for")
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._stirred.wait()
                self._stirred.clear()

    async def stop(self) -> None:
        """Release all connections. The next process that keeps them checks what was in flight."""
        if self._soon is not None:
            self._soon.cancel()
        tasks = [task for _, _, task in self._kept.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, systems: Sequence[Reachable]) -> None:
        wanted = {each.system.id: each for each in systems}
        for number, (_, version, task) in list(self._kept.items()):
            if number not in wanted or wanted[number].system.version != version:
                task.cancel()
                await asyncio.wait([task])
        for number, (system, token, hook) in wanted.items():
            connector = self._connectors.get(system.system)
            remote = None if connector is None else connector.remote
            if number in self._kept or remote is None or system.address is None:
                continue
            bucket = bucket_for(system.settings, asyncio.get_running_loop().time)
            access = remote.access(system.address, token, self._clock)
            reach = SystemReach(self._client, self._clock, bucket, access, system.settings)
            keeper = Keeper(self._database, self._clock, system, remote, reach, self._holder, self._limits, hook)
            task = asyncio.create_task(keeper.keep(), name=f"connection {number}")
            self._kept[number] = (keeper, system.version, task)
            task.add_done_callback(partial(self._ended, number))

    def _ended(self, number: int, task: asyncio.Task[None]) -> None:
        kept = self._kept.get(number)
        if kept is not None and kept[2] is task:
            del self._kept[number]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a connection is not kept any more", connection=f"con_{number}", exc_info=error)


@asynccontextmanager
async def keeping(
    database: Database,
    connectors: Connectors,
    feed: Feed,
    client: OutboundClient,
    clock: Clock,
    limits: KeeperLimits | None = None,
) -> AsyncIterator[Keepers]:
    """Synchronize connections beside the block."""
    keepers = Keepers(database, connectors, feed, client, clock, KeeperLimits() if limits is None else limits)
    feed.listen(keepers)
    task = asyncio.create_task(keepers.run(), name="keepers")
    try:
        yield keepers
    finally:
        task.cancel()
        await asyncio.wait([task])
        await keepers.stop()
