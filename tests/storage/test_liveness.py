"""A network or a server that falls silent: what runs ends in time, and what can be done anew is."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.core.errors import NotFound, OutcomeUnknown, Unavailable
from app.settings import Settings
from app.storage.database import Database, Query, Work, open_database
from app.storage.postgresql import PostgresqlCommands
from tests.conftest import CountingIds, ManualClock
from tests.serving import PATIENCE
from tests.silence import ANSWERS, IMPATIENT, REQUESTS, SILENCE, Network, network_to
from tests.storage.conftest import increment, value_of
from tests.storage.test_plans import Reading

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("database_url", ["postgres"], indirect=True)]

PROCESS = "SELECT pg_backend_pid()"


@pytest.fixture
async def network(database_url: str) -> AsyncIterator[tuple[Network, str]]:
    async with network_to(database_url) as found:
        yield found


@pytest.fixture
async def far(
    network: tuple[Network, str], scratch_database: Database, clock: ManualClock, settings: Settings
) -> AsyncIterator[Database]:
    """The database, with an idle connection for commands and one for plans, both through the network."""
    impatient = settings.model_copy(update=IMPATIENT)
    opened = await open_database(network[1], clock=clock, ids=CountingIds(), settings=impatient)
    assert [await opened.command(increment), *await read(opened, PROCESS)][0] == 1
    yield opened
    async with asyncio.timeout(PATIENCE):
        await opened.close()


async def read(database: Database, sql: str) -> list[int]:
    def steps() -> Reading:
        return [row[0] for row in (yield Query(sql))]

    return await database.plan(steps, snapshot=False, caller=1)


async def test_silence_that_ends_soon_costs_no_connection(network: tuple[Network, str], far: Database) -> None:
    before = await read(far, PROCESS)
    network[0].hold()
    reading, writing = asyncio.create_task(read(far, PROCESS)), asyncio.create_task(far.command(increment))
    await asyncio.sleep(SILENCE / 2)
    assert not reading.done()
    assert not writing.done()
    network[0].resume()
    assert (await reading, await writing) == (before, 2)


@pytest.mark.parametrize("lost", [(REQUESTS,), (ANSWERS,), (REQUESTS, ANSWERS)])
async def test_work_on_connections_that_went_silent_is_done_on_new_ones(
    network: tuple[Network, str], far: Database, lost: tuple[str, ...]
) -> None:
    network[0].forget(*lost)
    # The second text is new to its connection, so it is lost while it is prepared.
    found = await asyncio.gather(far.command(increment), read(far, PROCESS), read(far, "SELECT 7"))
    assert (found[0], found[2]) == (2, [7])
    assert await far.command(value_of) == 2


async def test_statement_that_runs_for_long_keeps_its_connection(
    network: tuple[Network, str], scratch_database: Database, clock: ManualClock, settings: Settings
) -> None:
    # Longer than elsewhere: a busy machine may take half a second for the connection that asks about this one.
    silence = 4 * SILENCE
    calm = settings.model_copy(update={"database_silence": timedelta(seconds=silence)})
    far = await open_database(network[1], clock=clock, ids=CountingIds(), settings=calm)
    before = await read(far, PROCESS)
    assert await read(far, f"SELECT pg_backend_pid() FROM pg_sleep({silence * 1.8})") == before
    await far.close()


@pytest.mark.parametrize(("lost", "value"), [(REQUESTS, 1), (ANSWERS, 2)])
async def test_commit_without_an_answer_has_an_unknown_outcome(
    network: tuple[Network, str], far: Database, lost: str, value: int
) -> None:
    def last(work: Work) -> None:
        increment(work)
        network[0].forget(lost)

    with pytest.raises(OutcomeUnknown):
        await far.command(last)
    assert await far.command(value_of) == value
    # The server frees the row, though it is not told that its client has gone.
    assert await far.command(increment) == value + 1


async def test_refusal_stands_though_nobody_answers_that_it_is_undone(
    network: tuple[Network, str], far: Database
) -> None:
    def refused(work: Work) -> None:
        increment(work)
        network[0].forget()
        raise NotFound("gone")

    with pytest.raises(NotFound):
        await far.command(refused)


async def test_idle_connections_are_kept_alive_on_both_sides(far: Database) -> None:
    set_here = "SELECT count(*) FROM pg_settings WHERE source = 'client' AND name LIKE 'tcp%'"
    assert await read(far, set_here) == [4]
    commands = far._commands
    assert isinstance(commands, PostgresqlCommands)
    sockets = [each._transport.get_extra_info("socket") for each in commands.liveness._open]
    assert len(sockets) >= 2  # for commands and for plans
    for each in sockets:
        assert each.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        if hasattr(socket, "TCP_KEEPIDLE"):
            assert each.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 5


async def test_silent_database_is_unavailable_until_it_answers(network: tuple[Network, str], far: Database) -> None:
    network[0].hold()
    found = await asyncio.gather(far.command(increment), read(far, PROCESS), return_exceptions=True)
    assert [type(each) for each in found] == [Unavailable, Unavailable]
    network[0].forget()
    assert len(await read(far, PROCESS)) == 1
    assert await far.command(increment) == 2
    network[0].hold()  # it is closed in silence too


async def test_process_of_the_server_that_hangs_is_left(far: Database, scratch_database: Database) -> None:
    (process,) = await read(far, PROCESS)
    # One that is stopped a moment after its answer, before it waits for the next question, counts as at work.
    waits = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {process} AND wait_event = 'ClientRead'"
    async with asyncio.timeout(PATIENCE):
        while await read(scratch_database, waits) != [1]:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)
    os.kill(process, signal.SIGSTOP)
    try:
        assert await read(far, PROCESS) != [process]
    finally:
        os.kill(process, signal.SIGCONT)
