"""Commands of one caller, and commands on one thing, leave the others their pace."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest

from app.core.company import TOGETHER
from app.core.errors import RateLimited, Unavailable
from app.settings import Settings
from app.storage import engines, sqlite_commands
from app.storage.admission import SHARE
from app.storage.database import Database, Work
from tests.serving import PATIENCE
from tests.storage.conftest import blocked, increment, locked, value_of, waiting

pytestmark = pytest.mark.anyio

on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
CALLERS = 30


@pytest.fixture
def settings() -> Settings:
    return Settings(pool_size=8, max_waiting_commands=300, lock_timeout=timedelta(seconds=0.5))


async def test_command_of_a_caller_with_few_passes_those_of_one_with_many(scratch_database: Database) -> None:
    order: list[str] = []

    def run(work: Work, name: str) -> None:
        order.append(name)

    many = [asyncio.create_task(scratch_database.command_of("many", None, run, "many")) for _ in range(300)]
    await asyncio.sleep(0)
    await many[0]
    begun = len(order)
    await scratch_database.command_of("few", None, run, "few")
    # What runs by then is not interrupted: one group on SQLite, the caller's connections on PostgreSQL.
    assert order.index("few") - begun <= 2 * 64
    await asyncio.gather(*many)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_groups_hold_few_commands_of_a_caller_while_there_are_others(scratch_database: Database) -> None:
    def nothing(work: Work) -> None:
        """What matters is the commit."""

    async def grouped(*callers: str) -> int:
        """How many commits it takes to run 128 commands of one caller, when these have sent one just before."""
        for caller in callers:
            await scratch_database.command_of(caller, None, nothing)
        before = scratch_database.tally.commits
        await asyncio.gather(*(scratch_database.command_of("many", None, nothing) for _ in range(128)))
        return scratch_database.tally.commits - before

    assert await grouped() == 2
    assert await grouped("many", "few") == 8
    await asyncio.sleep(2 * TOGETHER)
    assert await grouped() == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_command_does_not_wait_for_the_rest_of_a_group_that_takes_long(
    scratch_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_commands, "_LONGEST_GROUP", 0.0)
    order: list[str] = []

    def run(work: Work, name: str) -> None:
        order.append(name)

    names = [f"many {number}" for number in range(20)]
    many = [asyncio.create_task(scratch_database.command_of("many", None, run, name)) for name in names]
    await asyncio.sleep(0)
    await many[0]
    begun = len(order)
    assert begun < len(names) / 2
    await scratch_database.command_of("few", None, run, "few")
    assert order.index("few") - begun <= 1
    await asyncio.gather(*many)
    # What was not run with the first group was neither lost nor run twice, and its order is kept.
    assert [name for name in order if name != "few"] == names


async def test_command_is_refused_when_too_many_of_its_caller_wait(
    scratch_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "LONGEST_WAIT", PATIENCE)  # so that a busy machine refuses none for its wait
    asked = [asyncio.create_task(scratch_database.command_of("many", None, increment)) for _ in range(700)]
    await asyncio.sleep(0)
    assert await scratch_database.command_of("few", None, increment, 2) == 1
    found = await asyncio.gather(*asked, return_exceptions=True)
    done = [value for value in found if isinstance(value, int)]
    assert {type(each) for each in found} == {int, RateLimited}
    assert 300 <= len(done) < 700
    assert await scratch_database.command(value_of) == len(done)


def _started(commands: list[Awaitable[Any]]) -> list[asyncio.Future[Any]]:
    return [asyncio.ensure_future(command) for command in commands]


@on_postgres
async def test_commands_on_one_locked_thing_take_one_connection(scratch_database: Database, database_url: str) -> None:
    async with locked(database_url, 1) as other:
        stuck = _started([scratch_database.command_of(who, "thing", increment) for who in range(CALLERS)])
        assert await blocked(other, 1) == 1
        others = [scratch_database.command_of("other", f"thing {number}", increment, 2) for number in range(20)]
        assert sorted(await asyncio.gather(*others)) == list(range(1, 21))
        assert await waiting(other) <= 1  # none when its time is over already
        found = await asyncio.gather(*stuck, return_exceptions=True)
    assert {type(each) for each in found} == {Unavailable}
    assert all("nothing was changed" in str(each) for each in found)
    assert await scratch_database.command(value_of) == 0


@on_postgres
async def test_commands_of_one_caller_take_a_share_of_the_connections(
    scratch_database: Database, database_url: str
) -> None:
    async with locked(database_url, 1) as other:
        stuck = _started([scratch_database.command_of("many", number, increment) for number in range(CALLERS)])
        assert await blocked(other, 8 // SHARE) == 8 // SHARE
        others = [scratch_database.command_of("other", None, increment, 2) for _ in range(20)]
        assert sorted(await asyncio.gather(*others)) == list(range(1, 21))
        assert await waiting(other) == 8 // SHARE
    await asyncio.gather(*stuck, return_exceptions=True)


@on_postgres
@pytest.mark.parametrize("settings", [Settings(pool_size=8)])
async def test_commands_on_one_thing_leave_nothing_behind(scratch_database: Database) -> None:
    await asyncio.gather(*(scratch_database.command_of(who, who % 3, increment) for who in range(CALLERS)))
    admission = scratch_database._commands._admission  # type: ignore[attr-defined]
    assert (len(admission._subjects), len(admission._asking)) == (0, 0)
    assert await scratch_database.command(value_of) == CALLERS
