"""The whole graph over the conversations' desk."""

from collections.abc import AsyncIterator

import pytest

from app.settings import Settings
from tests.conftest import ManualClock
from tests.graph.running import Graph, open_graph
from tests.kinds.conversation.conftest import Desk, furnish


@pytest.fixture
async def graph(database_url: str, clock: ManualClock, settings: Settings) -> AsyncIterator[Graph]:
    opened = await open_graph(database_url, clock, settings)
    yield opened
    await opened.database.close()


@pytest.fixture
async def desk(graph: Graph) -> Desk:
    return await graph.database.command(furnish)
