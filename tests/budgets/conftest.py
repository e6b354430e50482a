"""A store for each test, over one server of the module."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.budgets.store_server import Road, StoreServer, road_to, running_store


@pytest.fixture(scope="module")
def store_server() -> Iterator[StoreServer]:
    # The path of a socket may have a hundred characters.
    with TemporaryDirectory(prefix="sb") as folder, running_store(Path(folder)) as server:
        yield server


@pytest.fixture
async def road(store_server: StoreServer) -> AsyncIterator[Road]:
    async with road_to(store_server) as road:
        yield road
