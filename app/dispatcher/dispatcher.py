"""Finds the destinations that this process delivers to, and holds their leases."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from itertools import islice

import structlog

from app.core.clock import Clock
from app.core.errors import DATABASE_AWAY
from app.core.fairness import SERVER
from app.core.holders import new_holder
from app.destinations import service
from app.destinations.events import DestinationHappened
from app.destinations.repository import ACTIVE, lease_name
from app.destinations.sending import Sender
from app.dispatcher.parts import DispatchLimits, Parts
from app.dispatcher.runner import Runner
from app.feed import Entry, Feed
from app.live.subscriptions import Subscriptions
from app.outbound import OutboundClient
from app.settings import Settings
from app.storage.database import Database
from app.storage.leases import end_lease, end_leases, renew_leases, take_lease
from app.storage.query import Query, Row
from app.storage.tables import moment_of
from app.storage.work import Work

log = structlog.get_logger(__name__)

_TAKEN_AT_ONCE = 100
_SPARE_SECONDS = 5.0
_PAUSE_WITHOUT_DATABASE = 1.0


class Dispatcher:
    """Runs the deliveries of this process. Each process has one; a lease assigns each destination to one process."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._running: dict[Runner, asyncio.Task[None]] = {}
        self._by_number: dict[int, Runner] = {}
        self._let_go: set[int] = set()
        self._stirred = asyncio.Event()
        self._news = asyncio.Event()
        self._free_at: datetime | None = None
        self._renewed_at = 0.0
        self._idle_noted_at = 0.0

    @property
    def delivering(self) -> frozenset[int]:
        """The destinations that this process delivers to."""
        return frozenset(self._by_number)

    def heard(self, entries: Sequence[Entry]) -> None:
        """Reload destinations that these entries may have changed before they send more; a listener of the feed."""
        for entry in entries:
            if issubclass(entry.type, DestinationHappened):
                self._stir()
                runner = self._by_number.get(entry.event.data["destination_id"])
                # A change by the runner itself has the version that the runner has already.
                if runner is not None and entry.event.version != runner.version:
                    runner.doubt()
            elif entry.type.concerns_keys:
                user_id = entry.event.data.get("user_id")
                for each in self._running:
                    if user_id is None or each.owner_id in (None, user_id):
                        each.doubt()

    def lost(self) -> None:
        """Nothing to do: each subscription learns by itself that the feed has lost its place."""

    def news(self) -> None:
        """Something may have been committed. Unlike `heard`, this is called even while nobody uses the feed."""
        self._news.set()

    async def run(self) -> None:
        """Until cancelled, look for destinations to deliver to: after each change, and when another process's lease
        ends."""
        guard = asyncio.create_task(self._guard())
        try:
            while True:
                self._news.clear()
                try:
                    await self._look()
                except DATABASE_AWAY:
                    await self._within(_PAUSE_WITHOUT_DATABASE, self._stirred)
                    continue
                except Exception:
                    log.exception("destinations cannot be looked for")
                await self._until_next_look()
        finally:
            guard.cancel()

    async def _until_next_look(self) -> None:
        limits = self._parts.limits
        if await self._within(limits.look_seconds, self._stirred) or self._running:
            return
        rest = limits.rest_seconds
        if self._free_at is not None:
            rest = min(rest, (self._free_at - self._parts.clock()).total_seconds())
        await self._within(max(rest - limits.look_seconds, 0.0), self._news)

    def _stir(self) -> None:
        """Wake the loop because a destination has changed."""
        self._stirred.set()
        self._news.set()

    async def _within(self, seconds: float, event: asyncio.Event) -> bool:
        """Wait for the event. Returns whether it came within the seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
        came = event.is_set()
        self._stirred.clear()
        return came

    async def stop(self) -> None:
        """End all deliveries and leases. Requests under way have the grace period to finish."""
        for runner in self._running:
            runner.end()
        tasks = list(self._running.values())
        if tasks:
            await asyncio.wait(tasks, timeout=self._parts.limits.grace_seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if tasks:
            with suppress(Exception):
                async with asyncio.timeout(self._parts.limits.grace_seconds):
                    await self._parts.database.command(end_leases, self._parts.holder)

    async def _look(self) -> None:
        await self._renew()
        await self._note_idle()
        now = self._parts.clock()
        rows = await self._parts.database.plan(_active, snapshot=False, caller=SERVER)
        free = []
        self._free_at = None
        for number, version, holder, until in rows:
            runner = self._by_number.get(number)
            if runner is not None:
                if runner.version is not None and runner.version != version:
                    runner.doubt()
            elif holder is None or holder == self._parts.holder or moment_of(until) <= now:
                free.append(number)
            else:
                ends = moment_of(until)
                self._free_at = ends if self._free_at is None else min(ends, self._free_at)
        waiting = iter(free)
        while some := list(islice(waiting, _TAKEN_AT_ONCE)):
            await self._begin(some)

    async def _begin(self, numbers: Sequence[int]) -> None:
        began = asyncio.get_running_loop().time()
        taken = await self._parts.database.command(_take, numbers, self._parts)
        if not self._running:
            self._renewed_at = began
        for number in taken:
            runner = Runner(self._parts, number)
            self._by_number[number] = runner
            task = self._running[runner] = asyncio.create_task(runner.keep())
            task.add_done_callback(partial(self._ended, runner))

    def _ended(self, runner: Runner, _task: object) -> None:
        del self._running[runner], self._by_number[runner.number]
        self._let_go.add(runner.number)
        self._stir()

    async def _renew(self) -> None:
        ended = self._let_go - self._by_number.keys()
        if ended:
            await self._parts.database.command(_give_back, ended, self._parts.holder)
            self._let_go -= ended
        if not self._running:
            return
        began = asyncio.get_running_loop().time()
        limits = self._parts.limits
        if began < self._renewed_at + limits.look_seconds / 2:
            return  # A change has caused this look, and each change renewing all leases would cost their square.
        held = await self._parts.database.command(renew_leases, self._parts.holder, limits.lease)
        self._renewed_at = began
        for runner, task in list(self._running.items()):
            if lease_name(runner.number) not in held:
                task.cancel()

    async def _guard(self) -> None:
        """Cancel all deliveries shortly before their leases expire unrenewed: another process may then take them."""
        time = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(1)
            if self._running and time() > self._renewed_at + self._parts.limits.lease.total_seconds() - _SPARE_SECONDS:
                log.warning("leases on destinations could not be renewed", destinations=len(self._running))
                for task in list(self._running.values()):
                    task.cancel()

    async def _note_idle(self) -> None:
        """Store the cursors of destinations that had nothing to deliver, so that a restart does not read that part
        again."""
        now = asyncio.get_running_loop().time()
        if now < self._idle_noted_at + self._parts.limits.idle_seconds:
            return
        self._idle_noted_at = now
        passed = [(number, run, str(cursor)) for number, run, cursor in filter(None, (r.idle() for r in self._running))]
        if passed:
            await self._parts.database.command(service.note_idle, passed)


def _active() -> Generator[Query, Sequence[Row], Sequence[Row]]:
    return (yield ACTIVE)


def _take(work: Work, numbers: Iterable[int], parts: Parts) -> list[int]:
    return [number for number in numbers if take_lease(work, lease_name(number), parts.holder, parts.limits.lease)]


def _give_back(work: Work, numbers: Iterable[int], holder: str) -> None:
    for number in numbers:
        end_lease(work, lease_name(number), holder)


@asynccontextmanager
async def dispatching(
    database: Database,
    feed: Feed,
    subscriptions: Subscriptions,
    client: OutboundClient,
    settings: Settings,
    clock: Clock,
    limits: DispatchLimits | None = None,
) -> AsyncIterator[Dispatcher]:
    """Deliver to destinations beside the block."""
    held_to = DispatchLimits() if limits is None else limits
    sender = Sender(client, clock, settings)
    parts = Parts(database, feed, subscriptions, sender, settings, clock, held_to, new_holder())
    dispatcher = Dispatcher(parts)
    feed.listen(dispatcher)
    feed.on_news(dispatcher.news)
    running = asyncio.create_task(dispatcher.run())
    try:
        yield dispatcher
    finally:
        running.cancel()
        await asyncio.wait([running])
        await dispatcher.stop()
