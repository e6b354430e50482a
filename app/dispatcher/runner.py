"""Delivers to one destination while this process holds it."""

import asyncio

import structlog

from app.core import codes
from app.core.errors import (
    CursorExpired,
    Forbidden,
    InvalidCursor,
    OutcomeUnknown,
    RateLimited,
    Timeout,
    Unavailable,
    release,
)
from app.destinations import service
from app.destinations.channels import alert
from app.destinations.model import PREFIX, Destination, DestinationReason
from app.destinations.service import Begun
from app.dispatcher.parts import Parts
from app.dispatcher.run import Run
from app.execution.outcome import Refused
from app.graph.context import Subscribable
from app.live.checking import request_of
from app.live.subscriber import EventSubscriber
from app.storage.event_log import Cursor

log = structlog.get_logger(__name__)

_LOST = {CursorExpired.code, InvalidCursor.code}
_PASSING = {RateLimited.code, Timeout.code, Unavailable.code, OutcomeUnknown.code, codes.INTERNAL}
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


class _Later(Exception):
    """The subscription cannot be opened now, but perhaps later."""


def _subscription(destination: Destination) -> Subscribable:
    """The subscription of the destination's document, or `alertChanged` for one without a document."""
    if destination.document is None:
        return Subscribable(alert.DOCUMENT, None, {"destinationId": f"{PREFIX}_{destination.id}"})
    return Subscribable(destination.document, destination.operation_name, destination.variables)


class Runner:
    """One destination. `owner_id`, `version` and `run` are those it was loaded with; None before the first load."""

    def __init__(self, parts: Parts, number: int) -> None:
        self.number = number
        self.owner_id: int | None = None
        self.version: int | None = None
        self.run: int | None = None
        self._parts = parts
        self._current: Run | None = None
        self._is_ending = False
        self._is_doubted = False

    async def keep(self) -> None:
        """Deliver until the destination is paused, stopped or deleted, or until `end`."""
        pause = _FIRST_PAUSE
        while not self._is_ending:
            try:
                if not await self._once():
                    return
                pause = _FIRST_PAUSE
                continue
            except (_Later, Unavailable, OutcomeUnknown, RateLimited, Timeout) as error:
                log.warning("a destination waits", destination=self.number, reason=str(error), seconds=pause)
            except Exception as error:
                log.exception("a destination cannot be delivered to", destination=self.number, seconds=pause)
                release(error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def doubt(self) -> None:
        """The destination may have changed: load it again before sending anything more."""
        self._is_doubted = True
        if self._current is not None:
            self._current.end()

    def end(self) -> None:
        """Send nothing more, and end when what is under way has been answered."""
        self._is_ending = True
        self.doubt()

    def idle(self) -> tuple[int, int, Cursor] | None:
        """Its surrogate, its run and the cursor up to which there is nothing to deliver; None if that has not moved."""
        cursor = None if self._current is None else self._current.idle_cursor()
        return None if cursor is None or self.run is None else (self.number, self.run, cursor)

    async def _once(self) -> bool:
        """Load the destination and deliver to it. Returns whether to do so again."""
        parts = self._parts
        async with parts.feed.held():
            async with parts.opening:
                self._is_doubted = False
                begun = await parts.database.command(service.begin_delivering, parts.tenure.holder, self.number)
                if begun is None:
                    return False
                destination = begun.destination
                self.owner_id, self.version, self.run = destination.owner_id, destination.version, destination.run
                subscriber = await self._opened(begun)
            if subscriber is None:
                return False
            try:
                self._current = Run(parts, begun, subscriber)
                if self._is_ending:
                    return False
                if self._is_doubted:
                    # It changed while it was being loaded, perhaps too late to be seen.
                    return True
                return await self._current.deliver()
            finally:
                self._current = None
                subscriber.close()

    async def _opened(self, begun: Begun) -> EventSubscriber | None:
        """The opened subscription; None if it cannot be opened, which pauses the destination. Raises _Later."""
        destination = begun.destination
        given = _subscription(destination)
        request, context = request_of(given), self._parts.context(begun.actor)
        subscriptions = self._parts.subscriptions
        try:
            operation = await subscriptions.found(request, context)
            found = await subscriptions.open(operation, request, context, destination.cursor, is_asked=False)
        except Refused as refused:
            await self._refused(begun, refused)
            return None
        if isinstance(found, EventSubscriber):
            return found
        found.close()
        await self._halt(begun, DestinationReason.SUBSCRIPTION_REFUSED, "The subscription cannot be resumed.")
        return None

    async def _refused(self, begun: Begun, refused: Refused) -> None:
        release(refused)
        entries = [entry for entry in refused.entries if isinstance(entry.get("extensions"), dict)]
        found = {entry["extensions"]["code"] for entry in entries}  # type: ignore[index]
        text = "; ".join(str(entry["message"]) for entry in refused.entries)
        if found & _LOST:
            await self._halt(begun, DestinationReason.EVENTS_LOST, text)
        elif found <= _PASSING:
            raise _Later(text)
        elif Forbidden.code in found:
            await self._halt(begun, DestinationReason.OWNER_NOT_ALLOWED, text)
        else:
            await self._halt(begun, DestinationReason.SUBSCRIPTION_REFUSED, text)

    async def _halt(self, begun: Begun, reason: DestinationReason, text: str) -> None:
        parts = self._parts
        await parts.database.command(
            service.halt, parts.tenure.holder, self.number, begun.destination.run, reason, text
        )
