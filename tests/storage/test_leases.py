import asyncio
from datetime import timedelta

import pytest

from app.core.holders import new_holder
from app.storage.database import Database, Work
from app.storage.leases import (
    begin_life,
    end_lease,
    end_leases,
    end_life,
    end_lives,
    forget_leases,
    lease,
    lives_of,
    prolong_life,
    take_lease,
)
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


async def test_leases_of_a_holder_are_ended_together(database: Database) -> None:
    assert [await take(database, holder, name) for holder, name in (("a", "x"), ("a", "y"), ("b", "z"))] == [True] * 3
    await database.command(end_leases, "a")
    assert [await take(database, "c", name) for name in "xyz"] == [True, True, False]


async def test_life_lasts_while_it_is_prolonged_and_ends_for_good(database: Database, clock: ManualClock) -> None:
    await database.command(begin_life, "a", LASTS)
    clock.advance(29)
    assert await database.command(prolong_life, "a", LASTS)
    clock.advance(29)
    assert await database.command(end_lives, {"a"}) == frozenset()
    assert (await database.command(lives_of, {"a", "b"})).keys() == {"a"}
    clock.advance(1)
    assert not await database.command(prolong_life, "a", LASTS)
    assert await database.command(end_lives, {"a"}) == {"a"}
    assert await count(database) == 0
    assert not await database.command(prolong_life, "a", LASTS)


async def test_life_that_is_ended_or_never_began_is_over(database: Database) -> None:
    await database.command(begin_life, "a", LASTS)
    await database.command(end_life, "a")
    assert await database.command(end_lives, {"a", "b"}) == {"a", "b"}
    assert not await database.command(prolong_life, "a", LASTS)


async def test_life_that_is_prolonged_while_another_process_ends_it_either_goes_on_or_is_over(
    database: Database, clock: ManualClock
) -> None:
    holders = [f"h{number}" for number in range(8)]
    for holder in holders:
        await database.command(begin_life, holder, LASTS)

    async def prolong(holder: str) -> bool:
        return await database.command(prolong_life, holder, LASTS)

    async def end() -> frozenset[str]:
        return await database.command(end_lives, holders)

    clock.advance(29.9)
    asked = [asyncio.create_task(prolong(holder)) for holder in holders]
    await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    clock.advance(0.2)
    ended = await end()
    went_on = {holder for holder, task in zip(holders, asked, strict=True) if await task}
    assert ended.isdisjoint(went_on)
    assert {holder for holder in holders if not await prolong(holder)} == ended


async def test_life_of_a_process_that_was_killed_is_over_at_once(database: Database) -> None:
    with other_process() as (holder, process):
        await database.command(begin_life, holder, LASTS)
        assert await database.command(end_lives, {holder}) == frozenset()
        process.kill()
        process.wait()
        assert await database.command(lives_of, {holder}) == {}
        assert await database.command(end_lives, {holder}) == {holder}
        assert not await database.command(prolong_life, holder, LASTS)
