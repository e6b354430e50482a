"""Several processes share destinations: one delivers to each, and another takes over when it is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
import sqlalchemy as sa

from app.destinations.tables import destination
from app.dispatcher import Dispatcher, DispatchLimits, holding
from app.dispatcher.parts import Parts
from app.dispatcher.tenure import Tenure
from app.storage.database import Work
from app.storage.leases import begin_life, end_life, lease
from tests.conftest import ManualClock
from tests.destinations.receiving import receiving
from tests.destinations.running import ALERTS, running
from tests.dispatcher.driving import LIMITS, Driven
from tests.dispatcher.driving import driven as driven
from tests.graph.reached import destination_row
from tests.interactions.conftest import House
from tests.interactions.conftest import house as house
from tests.serving import PATIENCE, eventually

pytestmark = pytest.mark.anyio

_LONG = timedelta(hours=1)


def _steal(work: Work) -> None:
    """Another process has the destinations, as after this one could not say for long that it lives."""
    work.connection.execute(lease.delete())
    begin_life(work, "somebody else", _LONG)
    work.connection.execute(sa.update(destination).values(holder="somebody else"))


async def test_destinations_are_shared_by_processes_without_a_double(database_url: str) -> None:
    async with receiving() as receiver, running(database_url) as first, running(database_url, first.house) as second:
        await first.destination(receiver.url, name="A")
        await second.destination(receiver.url, name="B")
        for house in (first.house, second.house):
            await house.hear()
        await receiver.has(6)
        assert await receiver.silent()
        ids = [each.id for each in receiver.requests]
        assert len(set(ids)) == len(ids) == 6


async def test_destinations_of_a_process_that_stops_are_taken_over_at_once(database_url: str) -> None:
    async with receiving() as receiver:
        async with running(database_url) as first:
            await first.destination(receiver.url)
            await first.house.hear()
            await receiver.has(2)
        async with running(database_url, first.house) as second:
            await second.house.hear("Hello?")
            await receiver.has(3)
            assert await receiver.silent()


async def test_destinations_of_a_process_that_died_are_taken_over_when_its_life_is_over(
    database_url: str, driven: Driven
) -> None:
    async with receiving() as receiver, running(database_url) as app:
        (dispatcher,) = driven.dispatchers
        await app.destination(receiver.url)
        await app.house.hear()
        await app.services.database.command(_steal)
        await dispatcher.step()
        await driven.minute(dispatcher)
        assert dispatcher.delivering == frozenset()
        await app.services.database.command(end_life, "somebody else")
        await driven.minute(dispatcher)
        assert dispatcher.delivering == {1}
        await receiver.has(2)


async def test_destination_that_another_process_took_is_left_to_it(database_url: str, driven: Driven) -> None:
    async with receiving() as receiver, running(database_url) as app:
        (dispatcher,) = driven.dispatchers
        receiver.gate.clear()
        ref, _ = await app.destination(receiver.url)
        await dispatcher.step()
        await app.house.hear()
        await eventually(lambda: receiver.at_once == 1)
        await app.services.database.command(_steal)
        receiver.gate.set()
        await eventually(lambda: dispatcher.delivering == frozenset())
        # The new holder sends it again: nothing was noted of what the former one sent.
        assert await app.deliveries(ref, "id") == []
        await dispatcher.step()
        assert dispatcher.delivering == frozenset()


async def test_process_whose_life_is_over_breaks_off_what_it_delivers(database_url: str, driven: Driven) -> None:
    async with receiving() as receiver, running(database_url) as app:
        (dispatcher,) = driven.dispatchers
        receiver.gate.clear()
        await app.destination(receiver.url)
        await dispatcher.step()
        await app.house.hear()
        await eventually(lambda: receiver.at_once == 1)
        await app.services.database.command(_steal)
        driven.now += LIMITS.beat_seconds
        await dispatcher.step()
        # The receiver has still not answered.
        await eventually(lambda: dispatcher.delivering == frozenset())
        receiver.gate.set()


async def test_process_that_was_stopped_sends_nothing_of_what_another_took(database_url: str, driven: Driven) -> None:
    clock = ManualClock(datetime.now(UTC))
    async with (
        receiving() as receiver,
        running(database_url, clock=clock) as app,
        running(database_url, app.house, clock=clock) as other,
    ):
        stopped, taking = driven.dispatchers
        ref, _ = await app.destination(receiver.url)
        await stopped.step()
        await app.house.hear()
        await app.delivered(ref, "status", [{"status": "DELIVERED"}] * 2)
        clock.advance(LIMITS.lease.total_seconds())
        driven.now += LIMITS.lease.total_seconds()
        await taking.step()
        assert taking.delivering == stopped.delivering == {1}
        await other.house.hear("Hello?")
        await receiver.has(3)
        # It goes on, with the same event, and sends it to nobody.
        await eventually(lambda: stopped.delivering == frozenset())
        await stopped.step()
        assert (stopped.delivering, taking.delivering) == (frozenset(), frozenset({1}))
        assert len(receiver.requests) == receiver.arrived == 3


async def test_process_that_was_stopped_goes_on_when_nobody_took_what_it_has(database_url: str, driven: Driven) -> None:
    clock = ManualClock(datetime.now(UTC))
    async with receiving() as receiver, running(database_url, clock=clock) as app:
        (dispatcher,) = driven.dispatchers
        await app.destination(receiver.url)
        await dispatcher.step()
        await eventually(lambda: app.services.subscriptions.running == 1)
        clock.advance(LIMITS.lease.total_seconds())
        driven.now += LIMITS.lease.total_seconds()
        await app.house.hear()
        await eventually(lambda: dispatcher.delivering == frozenset())
        assert receiver.arrived == 0
        await dispatcher.step()
        await receiver.has(2)


async def test_destination_begins_behind_what_it_did_not_want(database_url: str) -> None:
    soon = DispatchLimits(beat_seconds=0.05, idle_seconds=0.0)
    async with receiving() as receiver, running(database_url, limits=soon) as app:
        ref, _ = await app.destination(receiver.url, ALERTS, variables={"levels": ["URGENT"]})
        await app.house.hear()
        document = "query($after: String) { events(after: $after) { events { topic } } }"
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await app.state(ref, "cursor version")
                if not (await app.read(document, after=found["cursor"]))["events"]["events"]:
                    break
                await asyncio.sleep(0.01)
        assert (found["version"], receiver.arrived) == (1, 0)


class Counted:
    """A database that counts how often it is looked for destinations, and how often for signs of life."""

    def __init__(self, database: Any) -> None:
        self.looks = self.beats = 0
        self._database = database

    async def plan(self, *args: Any, **given: Any) -> Any:
        self.looks += 1
        return await self._database.plan(*args, **given)

    async def command(self, unit: Any, *args: Any) -> Any:
        self.beats += unit is holding.live
        return await self._database.command(unit, *args)


class Fed:
    """A feed that tells nothing."""

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        yield


async def test_destinations_are_looked_for_only_when_something_may_have_happened(house: House) -> None:
    counted, nothing = Counted(house.database), cast("Any", None)
    limits = DispatchLimits(beat_seconds=0.01, rest_seconds=3600)
    tenure = Tenure("me", limits.lease)
    parts = Parts(cast("Any", counted), cast("Any", Fed()), nothing, nothing, nothing, house.clock, limits, tenure)
    dispatcher = Dispatcher(parts)
    running = asyncio.create_task(dispatcher.run())
    try:
        await eventually(lambda: counted.looks == 1)
        await asyncio.sleep(0.2)
        assert (counted.looks, counted.beats) == (1, 0)
        await house.database.command(_held_elsewhere)
        dispatcher.news()
        # Once more when it hears what happens from then on.
        await eventually(lambda: counted.looks == 3)
        # Now others live, and nothing else is looked for.
        await eventually(lambda: counted.beats > 10)
        assert (counted.looks, dispatcher.delivering) == (3, frozenset())
    finally:
        running.cancel()
        await asyncio.wait([running])


def _held_elsewhere(work: Work) -> None:
    work.connection.execute(sa.insert(destination).values(destination_row(work.now, holder="somebody else")))
    begin_life(work, "somebody else", _LONG)
