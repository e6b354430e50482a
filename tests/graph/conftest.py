"""The whole graph over fresh databases: empty for each test, or filled once for the tests that change nothing."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from tests.graph.filled import Filled, fill
from tests.graph.running import Graph, running_graph


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def graph(database_url: str) -> AsyncIterator[Graph]:
    """The graph over an empty database."""
    async with running_graph(database_url) as found:
        yield found


@contextmanager
def fresh_url(request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> Iterator[str]:
    """A database of the kind that the fixture's parameter names."""
    if request.param == "sqlite":
        path = folders.mktemp("graph") / "graph.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        with request.getfixturevalue("postgres_copies").fresh() as url:
            yield url


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def lasting_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database for all tests that change nothing."""
    with fresh_url(request, tmp_path_factory) as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def changing_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database for all tests of one module, which change it as they come."""
    with fresh_url(request, tmp_path_factory) as url:
        yield url


@pytest.fixture(scope="session")
async def filled(lasting_url: str) -> AsyncIterator[Filled]:
    """People and interactions of every kind, for all tests that change nothing."""
    async with running_graph(lasting_url) as found:
        yield await fill(found)
