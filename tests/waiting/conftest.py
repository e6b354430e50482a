"""A floor for each test, on both databases, and the kinds of interaction one after the other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.settings import KindSettings, Settings
from tests.conftest import ManualClock
from tests.graph.running import open_graph
from tests.kinds.conftest import KINDS
from tests.waiting.floor import Floor, furnish


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@asynccontextmanager
async def fresh_floor(
    database_url: str, clock: ManualClock | None = None, *of_kinds: KindSettings
) -> AsyncIterator[Floor]:
    """A floor with these settings until the block ends."""
    graph = await open_graph(database_url, clock, Settings().having(*of_kinds))
    try:
        yield Floor(graph, await graph.database.command(furnish))
    finally:
        await graph.database.close()


@pytest.fixture
async def floor(database_url: str, clock: ManualClock) -> AsyncIterator[Floor]:
    async with fresh_floor(database_url, clock) as found:
        yield found
