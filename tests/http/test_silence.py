"""A database that falls silent, as those see it who listen."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx2
import pytest

from app.feed import NOT_READABLE
from app.storage.database import Database
from tests.conftest import ManualClock
from tests.http.test_sse import streaming
from tests.kit.library import tick
from tests.kit.library_server import KEY, LIMITS, TICKS, Keys, serving_library
from tests.serving import PATIENCE, Served
from tests.silence import IMPATIENT, Network, network_to

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("database_url", ["postgres"], indirect=True)]


@pytest.fixture
async def network(database_url: str) -> AsyncIterator[tuple[Network, str]]:
    async with network_to(database_url) as found:
        yield found


@pytest.fixture
async def served(network: tuple[Network, str], library: Database, clock: ManualClock) -> AsyncIterator[Served]:
    """A server whose connections to the database go through the network."""
    limits = replace(LIMITS, silence_seconds=3.0, ready_seconds=0.1)
    async with serving_library(network[1], clock, Keys(), limits, **IMPATIENT) as served:
        yield served


async def readiness(client: httpx2.AsyncClient, served: Served) -> tuple[int, str | None]:
    response = await client.get(served.url.replace("/graphql", "/readyz"))
    assert response.headers["cache-control"] == "no-store"
    return response.status_code, response.json().get("reason")


async def recovery(client: httpx2.AsyncClient, served: Served) -> None:
    for _ in range(int(PATIENCE / 0.05)):
        if await readiness(client, served) == (200, None):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it is not ready again")


async def test_listeners_outlive_lost_connections_and_are_told_of_a_log_that_cannot_be_read(
    network: tuple[Network, str], served: Served, library: Database
) -> None:
    async with (
        httpx2.AsyncClient(timeout=PATIENCE) as client,
        served.socket(KEY) as socket,
        streaming(served, TICKS) as stream,
    ):
        await socket.listen("1", TICKS)
        network[0].forget()
        await library.command(tick, 1)
        cursor = (await socket.data("1"))["ticks"]["cursor"]
        assert (await stream.data())["ticks"]["cursor"] == cursor

        network[0].hold()
        assert await readiness(client, served) == (503, "The database does not answer.")
        assert await socket.closed() == (1013, NOT_READABLE)
        with pytest.raises(StopAsyncIteration):
            await stream.frame()
        async with served.socket(begin=False) as early:
            assert (await early.closed())[0] == 1013

        await library.command(tick, 2)
        network[0].forget()
        await recovery(client, served)
        async with served.socket(KEY) as again:
            await again.subscribe("1", TICKS, after=cursor)
            assert (await again.data("1"))["ticks"]["number"] == 2
