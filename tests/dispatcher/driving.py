"""Dispatchers whose steps the test takes, by a time that the test moves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from app import asgi
from app.core.holders import new_holder
from app.destinations.sending import Sender
from app.dispatcher import Dispatcher, DispatchLimits
from app.dispatcher.parts import Parts
from app.dispatcher.tenure import Tenure

LIMITS = DispatchLimits()


@dataclass
class Driven:
    """The dispatcher of each application that was started, in that order. None takes a step by itself."""

    dispatchers: list[Dispatcher] = field(default_factory=list)
    now: float = 0.0
    limits: DispatchLimits = LIMITS

    def time(self) -> float:
        return self.now

    async def minute(self, dispatcher: Dispatcher) -> None:
        """A minute of a process, in which nothing but time moves."""
        for _ in range(round(60 / LIMITS.beat_seconds)):
            self.now += LIMITS.beat_seconds
            await dispatcher.step()

    @asynccontextmanager
    async def dispatching(
        self, database: Any, feed: Any, subscriptions: Any, client: Any, settings: Any, clock: Any, _limits: object
    ) -> AsyncIterator[None]:
        tenure, sender = Tenure(new_holder(), self.limits.lease, self.time), Sender(client, clock, settings)
        dispatcher = Dispatcher(
            Parts(database, feed, subscriptions, sender, settings, clock, self.limits, tenure, self.time)
        )
        feed.listen(dispatcher)
        self.dispatchers.append(dispatcher)
        try:
            yield
        finally:
            await dispatcher.stop()


@pytest.fixture
def driven(monkeypatch: pytest.MonkeyPatch) -> Driven:
    """The dispatchers of the applications that the test starts."""
    found = Driven()
    monkeypatch.setattr(asgi, "dispatching", found.dispatching)
    return found
