"""Finds the destinations that this process delivers to, and holds them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from time import monotonic

import structlog

from app.core.clock import Clock
from app.core.errors import DATABASE_AWAY
from app.core.fairness import SERVER
from app.core.holders import new_holder
from app.destinations import service
from app.destinations.events import DeliveryGivenUp, DestinationFailing, DestinationHappened, DestinationRecovered
from app.destinations.repository import ACTIVE
from app.destinations.sending import Sender
from app.dispatcher import holding
from app.dispatcher.parts import DispatchLimits, Parts
from app.dispatcher.runner import Runner
from app.dispatcher.tenure import Tenure
from app.feed import Entry, Feed
from app.live.subscriptions import Subscriptions
from app.outbound import OutboundClient
from app.settings import Settings
from app.storage.database import Database
from app.storage.event_log import Cursor
from app.storage.leases import end_life
from app.storage.query import Query, Row

log = structlog.get_logger(__name__)

_PAUSE_WITHOUT_DATABASE = 1.0
_OUTCOMES = frozenset({DeliveryGivenUp, DestinationFailing, DestinationRecovered})
"""Events that say how deliveries go. A thousand destinations may fail at once, and none changes hands for it."""


class Dispatcher:
    """Runs the deliveries of this process. Each process has one. It holds what it delivers to while it says that it
    lives, which is one lease, however many destinations it holds."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._running: dict[Runner, asyncio.Task[None]] = {}
        self._by_number: dict[int, Runner] = {}
        self._others: frozenset[str] = frozenset()
        self._hearing: AsyncExitStack | None = None
        self._changes = 1
        self._changes_seen = 0
        self._stirred = asyncio.Event()
        self._news = asyncio.Event()
        self._beaten_at = float("-inf")
        self._idle_noted_at = 0.0
        self._last_moment: asyncio.TimerHandle | None = None
        self._is_ending = False

    @property
    def delivering(self) -> frozenset[int]:
        """The destinations that this process delivers to."""
        return frozenset(self._by_number)

    def heard(self, entries: Sequence[Entry]) -> None:
        """Reload destinations that these entries may have changed before they send more; a listener of the feed."""
        for entry in entries:
            if entry.type in _OUTCOMES:
                continue
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
        """Destinations may have changed without a word. Each subscription learns by itself that the feed has lost its
        place."""
        self._stir()

    def news(self) -> None:
        """Something may have been committed. Unlike `heard`, this is called even while nobody uses the feed."""
        self._news.set()

    async def run(self) -> None:
        """Until `end`, say that this process lives, and deliver to what nobody else does."""
        while not self._is_ending:
            self._news.clear()
            try:
                await self.step()
            except DATABASE_AWAY:
                await self._within(_PAUSE_WITHOUT_DATABASE, self._stirred)
                continue
            except Exception:
                log.exception("destinations cannot be looked for")
            await self._until_next_step()

    def end(self) -> None:
        """Take no further step. What one takes while it is cancelled would stay held."""
        self._is_ending = True
        self._stir()

    async def step(self) -> None:
        """Say that this process lives, and look for destinations after a change of one or the end of another process.

        A step without such a change costs the same however many destinations there are."""
        await self._beat()
        if self._parts.time() >= self._idle_noted_at + self._parts.limits.idle_seconds:
            await self._note_idle()
        while self._changes_seen != self._changes and not self._is_ending:
            seen = self._changes
            await self._look()
            self._changes_seen = seen

    async def _until_next_step(self) -> None:
        limits = self._parts.limits
        if await self._within(limits.beat_seconds, self._stirred) or self._hearing is not None:
            return
        # There are no destinations, and the feed, which would tell of a new one, is left alone.
        await self._within(max(limits.rest_seconds - limits.beat_seconds, 0.0), self._news)
        self._changes += 1

    def _stir(self) -> None:
        """Look for destinations, because one has changed."""
        self._changes += 1
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
        """End all deliveries, and this process's hold on destinations. Requests under way have the grace period to
        finish."""
        with suppress(Exception):
            async with asyncio.timeout(self._parts.limits.grace_seconds):
                await self._note_idle()
        for runner in self._running:
            runner.end()
        tasks = list(self._running.values())
        if tasks:
            await asyncio.wait(tasks, timeout=self._parts.limits.grace_seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._last_moment is not None:
            self._last_moment.cancel()
            with suppress(Exception):
                async with asyncio.timeout(self._parts.limits.grace_seconds):
                    await self._parts.database.command(end_life, self._parts.tenure.holder)
        await self._hear(wanted=False)

    async def _beat(self) -> None:
        """Prolong this process's life while it delivers, and check that the other processes which do live."""
        parts, now = self._parts, self._parts.time()
        if not (self._running or self._others) or now < self._beaten_at + parts.limits.beat_seconds / 2:
            return
        holder = parts.tenure.holder if self._running else None
        lives, is_one_over = await parts.database.command(holding.live, holder, parts.limits.lease, self._others)
        self._beaten_at = now
        if is_one_over:
            self._changes += 1
        if not lives:
            self._lose()
        elif holder is not None:
            self._extend(now)

    async def _look(self) -> None:
        parts = self._parts
        rows = await parts.database.plan(_active, snapshot=False, caller=SERVER)
        await self._hear(wanted=bool(rows))
        free: list[int] = []
        others: dict[str, list[int]] = {}
        for number, version, holder in rows:
            runner = self._by_number.get(number)
            if runner is not None:
                if runner.version is not None and runner.version != version:
                    runner.doubt()
            elif holder is None or holder == parts.tenure.holder:
                free.append(number)
            else:
                others.setdefault(holder, []).append(number)
        self._others = frozenset(others)
        if not rows:
            return
        began = parts.time()
        taken = await parts.database.command(holding.take, free, others, parts.tenure.holder, parts.limits.lease)
        self._others -= taken.ended
        if taken.wanted:
            if taken.holder != parts.tenure.holder:
                self._lose()
                self._parts = parts = replace(parts, tenure=Tenure(taken.holder, parts.limits.lease, parts.time))
            self._extend(began)
            self._beaten_at = began
        if len(taken.numbers) < taken.wanted:
            self._changes += 1  # others were faster, and it has to be known who
        for number in taken.numbers:
            self._begin(number)

    def _begin(self, number: int) -> None:
        runner = Runner(self._parts, number)
        self._by_number[number] = runner
        task = self._running[runner] = asyncio.create_task(runner.keep())
        task.add_done_callback(partial(self._ended, runner))

    def _ended(self, runner: Runner, _task: object) -> None:
        del self._running[runner], self._by_number[runner.number]
        self._stir()

    async def _hear(self, *, wanted: bool) -> None:
        """Use the feed, which tells of changes, while there are destinations."""
        if wanted and self._hearing is None:
            async with AsyncExitStack() as entered:
                await entered.enter_async_context(self._parts.feed.held())
                self._hearing = entered.pop_all()
            self._changes += 1  # there may have been some before
        elif not wanted and self._hearing is not None:
            hearing, self._hearing = self._hearing, None
            await hearing.aclose()

    def _extend(self, began: float) -> None:
        """The life was prolonged by a command that began at this time."""
        self._parts.tenure.extend(began)
        if self._last_moment is not None:
            self._last_moment.cancel()
        seconds = self._parts.tenure.ends_at - self._parts.time()
        self._last_moment = asyncio.get_running_loop().call_later(seconds, self._over)

    def _over(self) -> None:
        """Other processes may soon take what this one holds."""
        if self._running:
            log.warning("a process could not say that it lives", destinations=len(self._running))
            self._lose()

    def _lose(self) -> None:
        """Cancel all deliveries. What is still held or free is begun again."""
        for task in self._running.values():
            task.cancel()

    async def _note_idle(self) -> None:
        """Store the cursor of destinations that had nothing to deliver, so that whoever delivers next does not read
        that part of the log again. It is the same for all of them: one statement, or a few after replays."""
        self._idle_noted_at = self._parts.time()
        found: dict[tuple[int, Cursor], list[int]] = {}
        for number, run, cursor in filter(None, (runner.idle() for runner in self._running)):
            found.setdefault((run, cursor), []).append(number)
        if found:
            passed = {(run, str(cursor)): numbers for (run, cursor), numbers in found.items()}
            await self._parts.database.command(service.note_idle, self._parts.tenure.holder, passed)


def _active() -> Generator[Query, Sequence[Row], Sequence[Row]]:
    return (yield ACTIVE)


@asynccontextmanager
async def dispatching(
    database: Database,
    feed: Feed,
    subscriptions: Subscriptions,
    client: OutboundClient,
    settings: Settings,
    clock: Clock,
    limits: DispatchLimits | None = None,
    time: Callable[[], float] = monotonic,
) -> AsyncIterator[Dispatcher]:
    """Deliver to destinations beside the block. `time` is that of the process, which no clock on a wall turns back."""
    held_to = DispatchLimits() if limits is None else limits
    sender = Sender(client, clock, settings)
    tenure = Tenure(new_holder(), held_to.lease, time)
    parts = Parts(database, feed, subscriptions, sender, settings, clock, held_to, tenure, time)
    dispatcher = Dispatcher(parts)
    feed.listen(dispatcher)
    feed.on_news(dispatcher.news)
    running = asyncio.create_task(dispatcher.run())
    try:
        yield dispatcher
    finally:
        dispatcher.end()
        await asyncio.wait([running], timeout=held_to.grace_seconds)
        running.cancel()
        await asyncio.wait([running])
        await dispatcher.stop()
