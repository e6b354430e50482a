"""A running application and a receiver, for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.destinations.receiving import Receiver, receiving
from tests.destinations.running import Running, running


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[Running]:
    async with running(database_url) as found:
        yield found


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found
