"""Several processes share destinations: one delivers to each, and another takes over when it is gone."""

import asyncio
from datetime import timedelta
from typing import Any, cast

import pytest
import sqlalchemy as sa

from app.destinations.repository import lease_name
from app.destinations.tables import destination
from app.dispatcher import Dispatcher, DispatchLimits
from app.dispatcher.parts import Parts
from app.storage.database import Work
from app.storage.leases import end_leases, lease, renew_leases, take_lease
from tests.destinations.receiving import receiving
from tests.destinations.running import ALERTS, SOON, Running, running
from tests.graph.reached import destination_row
from tests.interactions.conftest import House
from tests.interactions.conftest import house as house
from tests.serving import PATIENCE, eventually

pytestmark = pytest.mark.anyio

_LONG = timedelta(hours=1)


async def _holder(app: Running) -> list[str]:
    def read(work: Work) -> list[str]:
        return list(work.connection.execute(lease.select().order_by(lease.c.name)).scalars())

    return await app.services.database.command(read)


def _steal(work: Work, number: int) -> None:
    """Another process has the lease, as after this one could not renew it for long."""
    work.connection.execute(lease.delete())
    assert take_lease(work, lease_name(number), "somebody else", _LONG)


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


async def test_destinations_of_a_process_that_died_are_taken_over_when_its_leases_end(database_url: str) -> None:
    async with receiving() as receiver, running(database_url, limits=DispatchLimits(look_seconds=3600)) as first:
        await first.services.database.command(_die, 1)
        await first.destination(receiver.url)
        await first.house.hear()
        async with running(database_url, first.house, limits=SOON):
            assert await receiver.silent()
            await first.services.database.command(_die, 0)
            await receiver.has(2)


def _die(work: Work, hours: int) -> None:
    """A process that is gone holds the lease for so long."""
    work.connection.execute(lease.delete())
    assert take_lease(work, lease_name(1), "gone", timedelta(hours=hours))


async def test_destination_whose_lease_is_lost_is_left_to_its_new_holder(database_url: str) -> None:
    async with receiving() as receiver, running(database_url) as app:
        receiver.gate.clear()
        ref, _ = await app.destination(receiver.url)
        await app.house.hear()
        await eventually(lambda: receiver.at_once == 1)
        await app.services.database.command(_steal, 1)
        receiver.gate.set()
        assert await receiver.silent(0.5)
        # The new holder sends it again: nothing was noted of what the former one sent.
        assert await app.deliveries(ref, "id") == []


async def test_destination_begins_behind_what_it_did_not_want(database_url: str) -> None:
    soon = DispatchLimits(look_seconds=0.05, idle_seconds=0.0)
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
    """A database that counts how often it is looked for destinations."""

    def __init__(self, database: Any) -> None:
        self.looks = 0
        self._database = database

    async def plan(self, *args: Any, **given: Any) -> Any:
        self.looks += 1
        return await self._database.plan(*args, **given)


async def test_destinations_are_looked_for_only_when_something_may_have_happened(house: House) -> None:
    counted, nothing = Counted(house.database), cast("Any", None)
    limits = DispatchLimits(look_seconds=0.01, rest_seconds=3600)
    parts = Parts(cast("Any", counted), nothing, nothing, nothing, nothing, house.clock, limits, "me")
    dispatcher = Dispatcher(parts)
    running = asyncio.create_task(dispatcher.run())
    try:
        await eventually(lambda: counted.looks == 1)
        await asyncio.sleep(0.2)
        assert counted.looks == 1
        await house.database.command(_held_elsewhere, timedelta(seconds=0.1))
        dispatcher.news()
        await eventually(lambda: counted.looks == 2)
        # The lease of the other process is over soon, without a word.
        await eventually(lambda: counted.looks >= 3)
        assert dispatcher.delivering == frozenset()
    finally:
        running.cancel()
        await asyncio.wait([running])


def _held_elsewhere(work: Work, lasts: timedelta) -> None:
    work.connection.execute(sa.insert(destination).values(destination_row(work.now)))
    assert take_lease(work, lease_name(1), "somebody else", lasts)


async def test_leases_are_renewed_and_ended_together(house: House) -> None:
    def take(work: Work, holder: str, *names: str) -> list[bool]:
        return [take_lease(work, name, holder, timedelta(seconds=10)) for name in names]

    database = house.database
    assert await database.command(take, "me", "a", "b") == [True, True]
    assert await database.command(take, "you", "b", "c") == [False, True]
    house.clock.advance(9)
    assert await database.command(renew_leases, "me", timedelta(seconds=10)) == {"a", "b"}
    house.clock.advance(9)
    assert await database.command(take, "you", "a", "c") == [False, True]
    await database.command(end_leases, "me")
    assert await database.command(take, "you", "a", "b") == [True, True]
    assert await database.command(renew_leases, "me", timedelta(seconds=10)) == frozenset()
