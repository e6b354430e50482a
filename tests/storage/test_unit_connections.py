"""Connections of units go from one to the next, and carry nothing over but themselves."""

import asyncio

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.util import await_only

from app.core.errors import Conflict
from app.storage.database import Database, Work
from app.storage.fixed import Fixed
from app.storage.postgresql import PostgresqlCommands
from app.storage.unit_connection import UnitConnection
from tests.postgres import round_trips
from tests.storage.conftest import counter, increment, value_of

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("database_url", ["postgres"], indirect=True)]

PROCESS = Fixed(sa.select(sa.func.pg_backend_pid().label("pid")))
END = Fixed(sa.select(sa.func.pg_terminate_backend(sa.func.pg_backend_pid())))
SET = Fixed(sa.update(counter).where(counter.c.id == sa.bindparam("key")))


def free(database: Database) -> list[UnitConnection]:
    """The connections that no unit has, without those that nobody has asked for yet."""
    commands = database._commands
    assert isinstance(commands, PostgresqlCommands)
    return commands._connections._free


def process(work: Work) -> int:
    """The number of the database's process that has the unit."""
    return int(PROCESS.rows(work.connection)[0].pid)


async def two_at_once(database: Database) -> list[int]:
    """The processes of two units of which neither ends before the other has its own."""
    both = asyncio.Barrier(2)

    def met(work: Work) -> int:
        found = process(work)
        await_only(both.wait())
        return found

    return await asyncio.gather(*(database.command(met) for _ in range(2)))


async def test_connection_goes_from_one_unit_to_the_next(scratch_database: Database) -> None:
    def connection(work: Work) -> sa.Connection:
        process(work)
        return work.connection

    first = await scratch_database.command(connection)
    assert [await scratch_database.command(connection) for _ in range(2)] == [first] * 2
    assert free(scratch_database) == [first]


async def test_connection_that_sqlalchemy_has_begun_on_goes_back_to_its_pool(scratch_database: Database) -> None:
    def connection(work: Work) -> sa.Connection:
        work.connection.execute(sa.text("SELECT 1"))
        return work.connection

    assert (await scratch_database.command(connection)).closed
    assert free(scratch_database) == []


async def test_connections_that_are_free_go_with_one_that_is_lost(scratch_database: Database) -> None:
    ends = [True]

    def lost(work: Work) -> None:
        if ends:
            ends.clear()
            END.rows(work.connection)

    await two_at_once(scratch_database)
    before = list(free(scratch_database))
    await scratch_database.command(lost)
    assert [each.closed for each in before] == [True, True]
    assert len(free(scratch_database)) == 1


async def test_unit_knows_nothing_of_the_one_before(scratch_database: Database) -> None:
    def refused(work: Work) -> None:
        process(work)
        SET.write(work.connection, {"key": 1, "value": 7})
        raise Conflict("no")

    def blind(work: Work) -> None:
        SET.write(work.connection, {"key": 1, "value": 1})

    await scratch_database.command(blind)
    await scratch_database.command(process)
    with pytest.raises(Conflict):
        await scratch_database.command(refused)
    async with round_trips(scratch_database) as asked:
        await scratch_database.command(blind)
    # As if it were the first: not in a transaction of another's, and without what that had kept.
    assert [each.split()[0] for each in asked] == ["UPDATE"]
    assert await scratch_database.command(value_of) == 1


async def test_connections_that_end_while_they_are_free_are_replaced(
    scratch_database: Database, database_url: str
) -> None:
    ended = set(await two_at_once(scratch_database))
    assert len(ended) == 2
    remote = await asyncpg.connect(database_url)
    try:
        await remote.fetch("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid", list(ended))
    finally:
        await remote.close()
    # Whether the process knows of the ends by now or finds out by asking: each unit is done, and once.
    await asyncio.gather(*(scratch_database.command(increment) for _ in range(2)))
    assert await scratch_database.command(value_of) == 2
    assert not ended & set(await two_at_once(scratch_database))


async def test_connections_are_back_in_the_pool_after_the_end(scratch_database: Database) -> None:
    await two_at_once(scratch_database)
    connections = list(free(scratch_database))
    await scratch_database.close()
    assert [each.closed for each in connections] == [True, True]
    assert free(scratch_database) == []
