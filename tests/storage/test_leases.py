import asyncio
from datetime import timedelta

import pytest

from app.core.holders import new_holder
from app.storage.database import Database, Work
from app.storage.leases import end_lease, forget_leases, lease, take_lease
from tests.conftest import ManualClock
from tests.core.test_holders import other_process

pytestmark = pytest.mark.anyio

LASTS = timedelta(seconds=30)


async def take(database: Database, holder: str, name: str = "desk") -> bool:
    return await database.command(take_lease, name, holder, LASTS)


async def count(database: Database) -> int:
    def rows(work: Work) -> int:
        return len(work.connection.execute(lease.select()).all())

    return await database.command(rows)


async def test_lease_is_one_holders_until_it_ends(database: Database, clock: ManualClock) -> None:
    assert await take(database, "a")
    assert not await take(database, "b")
    clock.advance(29)
    assert not await take(database, "b")
    clock.advance(1)
    assert await take(database, "b")
    assert not await take(database, "a")


async def test_lease_is_renewed_by_its_holder(database: Database, clock: ManualClock) -> None:
    assert await take(database, "a")
    clock.advance(20)
    assert await take(database, "a")
    clock.advance(20)
    assert not await take(database, "b")


async def test_lease_of_another_name_is_another(database: Database) -> None:
    assert await take(database, "a")
    assert await take(database, "b", "chair")


async def test_lease_that_is_ended_is_free_at_once(database: Database) -> None:
    assert await take(database, "a")
    await database.command(end_lease, "desk", "b")
    assert not await take(database, "b")
    await database.command(end_lease, "desk", "a")
    assert await take(database, "b")


async def test_lease_goes_to_one_of_many_that_ask_at_once(database: Database) -> None:
    assert sum(await asyncio.gather(*(take(database, str(each)) for each in range(8)))) == 1


async def test_leases_that_have_ended_are_forgotten(database: Database, clock: ManualClock) -> None:
    await take(database, "a")
    clock.advance(30)
    await take(database, "b", "chair")
    await database.command(forget_leases)
    assert await count(database) == 1
    assert not await take(database, "a", "chair")


async def test_lease_of_a_process_that_was_killed_is_free_at_once(database: Database) -> None:
    with other_process() as (holder, process):
        assert await take(database, holder)
        assert not await take(database, new_holder())
        process.kill()
        process.wait()
        first, second = new_holder(), new_holder()
        assert sorted(await asyncio.gather(take(database, first), take(database, second))) == [False, True]
