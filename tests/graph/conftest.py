"""The whole graph over fresh databases: empty for each test, or filled once for the tests that change nothing."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.conftest import fresh_url
from tests.graph.filled import Filled, fill
from tests.graph.running import Graph, running_graph


@pytest.fixture
async def graph(database_url: str) -> AsyncIterator[Graph]:
    """The graph over an empty database."""
    async with running_graph(database_url) as found:
        yield found


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def lasting_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database for all tests that change nothing."""
    with fresh_url(request, lambda: tmp_path_factory.mktemp("database")) as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def changing_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database for all tests of one module, which change it as they come."""
    with fresh_url(request, lambda: tmp_path_factory.mktemp("database")) as url:
        yield url


@pytest.fixture(scope="session")
async def filled(lasting_url: str) -> AsyncIterator[Filled]:
    """People and interactions of every kind, for all tests that change nothing."""
    async with running_graph(lasting_url) as found:
        yield await fill(found)
