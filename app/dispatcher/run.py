"""Delivers the items of one opened subscription to its destination."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from app.core.errors import DATABASE_AWAY, CursorExpired
from app.core.events import topic_name
from app.destinations import service
from app.destinations.channels import Target
from app.destinations.events import AlertTold
from app.destinations.model import Attempt, Delivery, DeliveryStatus, DestinationReason, Place, webhook_id
from app.destinations.service import Begun, Settled
from app.dispatcher.health import Health
from app.dispatcher.parts import Parts
from app.dispatcher.window import Waiting, Window
from app.live.items import Item
from app.live.subscriber import EventSubscriber
from app.storage.event_log import Cursor, parse_cursor

_LONGEST_WAIT = 60.0
_PAUSE_WITHOUT_DATABASE = 0.5
_FAILED_ITEM = '{"data":null'


class Run:
    """Delivers to a destination as it is stored now, until it may have changed."""

    def __init__(self, parts: Parts, begun: Begun, subscriber: EventSubscriber) -> None:
        destination = begun.destination
        self._parts = parts
        self._begun = begun
        self._subscriber = subscriber
        self._window = Window(parse_cursor(destination.cursor))
        self._health = Health(
            parts.limits.retries, destination.most_in_flight, destination.failing_since, destination.delivered_at
        )
        # Deliveries of events up to here may have been recorded before.
        self._known_until = parts.feed.head
        self._taking: asyncio.Task[Item] | None = None
        self._sending: dict[asyncio.Task[Attempt | None], Waiting] = {}
        self._wake = asyncio.Event()
        self._is_ending = False

    async def deliver(self) -> bool:
        """Deliver until `end` or until the destination is paused or stopped. Returns whether to start again."""
        try:
            while not self._is_ending:
                self._send_ready()
                self._take()
                await self._something()
                if not await self._harvest():
                    return False
            while self._sending:
                # Requests in flight have their own time-out, and their answers count.
                await asyncio.wait(self._sending, return_when=asyncio.FIRST_COMPLETED)
                if not await self._harvest():
                    return False
            return True
        except CursorExpired:
            return True
        finally:
            await self._stop()

    def end(self) -> None:
        """Send nothing more, and end when the requests in flight have been answered."""
        self._is_ending = True
        self._wake.set()

    def idle_cursor(self) -> Cursor | None:
        """The cursor up to which there is nothing to deliver; None when something waits or the cursor has not moved."""
        if not self._window.is_empty or (self._taking is not None and self._taking.done()):
            return None
        passed = self._subscriber.passed()
        if passed is None or passed <= self._window.cursor:
            return None
        self._window.advance_to(passed)
        return passed

    # ---- taking and sending ----------------------------------------------------------------------------------------

    def _take(self) -> None:
        if self._taking is None and self._window.undelivered < self._health.room:
            self._taking = asyncio.create_task(self._subscriber.next())
            self._taking.add_done_callback(self._stir)

    def _send_ready(self) -> None:
        now = self._parts.clock()
        quiet = self._health.quiet_until
        if quiet is not None and now < quiet:
            return
        free = self._health.at_once - len(self._sending)
        for waiting in self._window.ready(now):
            if free < 1:
                break
            free -= 1
            self._window.send(waiting)
            task = asyncio.create_task(self._send(waiting))
            task.add_done_callback(self._stir)
            self._sending[task] = waiting

    async def _send(self, waiting: Waiting) -> Attempt | None:
        """Send it once; None when another process may have to, so that nothing was sent."""
        text = waiting.text
        if text is None or text.startswith(_FAILED_ITEM):
            text = (await self._subscriber.again(waiting.item)).text
        now = self._parts.clock()
        if text.startswith(_FAILED_ITEM):
            return Attempt(at=now, latency_ms=0, fault="ITEM", excerpt="The item could not be read.")
        destination = self._begun.destination
        target = Target(destination.address, self._secrets(now))
        if self._parts.tenure.is_over:
            return None
        return await self._parts.sender.send(destination.type, target, webhook_id(destination.id, waiting.place), text)

    def _secrets(self, now: datetime) -> Sequence[str]:
        """The secrets that sign now; a replaced one signs until its time is over."""
        return self._begun.secrets[: len(self._begun.destination.secrets_at(now))]

    async def _something(self) -> None:
        """Wait for an item, an answer, or the next retry."""
        now = self._parts.clock()
        due, quiet = self._window.next_due(), self._health.quiet_until
        if quiet is not None and quiet <= now:
            quiet = None
        moment = max(due, quiet) if due is not None and quiet is not None else due or quiet
        seconds = None if moment is None else min((moment - now).total_seconds(), _LONGEST_WAIT)
        if seconds is not None and seconds <= 0:
            seconds = _LONGEST_WAIT if self._sending else 0.0  # what is due while others are sent waits for its turn
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()

    def _stir(self, _task: object) -> None:
        self._wake.set()

    # ---- what came of it -------------------------------------------------------------------------------------------

    async def _harvest(self) -> bool:
        """Record the answers that have come. Returns False when this process must deliver no more."""
        if self._taking is not None and self._taking.done():
            taken, self._taking = self._taking, None
            await self._add([taken.result(), *self._subscriber.ready()])
        answered = [(task, waiting) for task, waiting in self._sending.items() if task.done()]
        deliveries: list[Delivery] = []
        halted: tuple[DestinationReason, str] | None = None
        is_over = False
        for task, waiting in answered:
            del self._sending[task]
            attempt = task.result()
            if attempt is None:
                is_over = True
                continue
            self._health.learn(attempt)
            made = self._delivery(waiting, attempt)
            self._window.tried(waiting, made)
            deliveries.append(made)
            halted = halted or self._end_of(made)
        passed = self._window.advance()
        if not deliveries and not passed:
            return not is_over
        if not await self._settle(deliveries, passed) or is_over:
            return False
        if halted is not None:
            await self._parts.database.command(
                service.halt,
                self._parts.tenure.holder,
                self._begun.destination.id,
                self._begun.destination.run,
                *halted,
            )
            return False
        return True

    async def _add(self, items: Sequence[Item]) -> None:
        asked = [place for item in items if self._known_until.has_seen(*(place := _place(item)))]
        known = {}
        if asked:
            destination = self._begun.destination
            known = dict(
                await self._parts.database.command(service.known_deliveries, destination.id, destination.run, asked)
            )
        for item in items:
            self._window.add(item, known.get(_place(item)))

    def _delivery(self, waiting: Waiting, attempt: Attempt) -> Delivery:
        before, entry = waiting.delivery, waiting.item.entry
        assert entry is not None
        attempts = 1 if before is None else before.attempts + 1
        first = attempt.at if before is None else before.first_attempt_at
        status, again_at = DeliveryStatus.DELIVERED, None
        if not attempt.is_success:
            if self._health.is_over(first, attempt) and self._health.arrived_since(first):
                status = DeliveryStatus.GIVEN_UP
            else:
                status = DeliveryStatus.PENDING
                retries = self._parts.limits.retries
                again_at = attempt.at + retries.pause(attempts, self._parts.jitter(), attempt.retry_after)
        event = entry.event
        return Delivery(
            webhook_id=webhook_id(self._begun.destination.id, waiting.place),
            place=waiting.place,
            topic=topic_name(event.topic, event.kind),
            interaction_id=event.interaction_id,
            policy_id=event.data.get("policy_id") if entry.type is AlertTold else None,
            status=status,
            attempts=attempts,
            first_attempt_at=first,
            next_attempt_at=again_at,
            # An answer may quote what customers wrote. It is kept only for failures, where it gives the reason.
            latest=replace(attempt, excerpt=None) if attempt.is_success else attempt,
        )

    def _end_of(self, made: Delivery) -> tuple[DestinationReason, str] | None:
        """The reason to stop delivering after this attempt, or None."""
        if made.latest.is_gone:
            return DestinationReason.GONE, f"The receiver answered {made.latest.http_status}."
        if made.status is DeliveryStatus.PENDING and self._health.is_over(made.first_attempt_at, made.latest):
            why = f"status {made.latest.http_status}" if made.latest.fault is None else made.latest.fault
            return DestinationReason.FAILING, f"Nothing has arrived for as long as deliveries are tried: {why}."
        return None

    async def _settle(self, deliveries: Sequence[Delivery], passed: Sequence[Place]) -> bool:
        settled = Settled(
            run=self._begun.destination.run,
            deliveries=deliveries,
            behind=frozenset(passed),
            cursor=str(self._window.cursor),
            failing_since=self._health.failing_since,
            delivered_at=self._health.delivered_at,
        )
        while True:
            try:
                return await self._parts.database.command(
                    service.settle, self._parts.tenure.holder, self._begun.destination.id, settled
                )
            except DATABASE_AWAY:
                # Retried until the tenure ends: deliveries that are not recorded would be sent again.
                await asyncio.sleep(_PAUSE_WITHOUT_DATABASE)

    async def _stop(self) -> None:
        tasks: list[asyncio.Task[Item] | asyncio.Task[Attempt | None]] = [*self._sending]
        if self._taking is not None:
            tasks.append(self._taking)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)


def _place(item: Item) -> Place:
    assert item.entry is not None
    return Place(item.entry.logged.lane, item.entry.logged.position)
