"""The whole graph over fresh databases: empty for each test, or filled once for the tests that change nothing."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.graph.filled import Filled, fill
from tests.graph.running import Graph, running_graph
from tests.postgres import Copies


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def graph(database_url: str) -> AsyncIterator[Graph]:
    """The graph over an empty database."""
    async with running_graph(database_url) as found:
        yield found


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def lasting_url(
    request: pytest.FixtureRequest,
    sqlite_template: Path,
    postgres_copies: Copies,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A fresh database for all tests that change nothing."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("graph") / "graph.db"
        shutil.copyfile(sqlite_template, path)
        yield f"sqlite:///{path}"
    else:
        with postgres_copies.fresh() as url:
            yield url


@pytest.fixture(scope="session")
async def filled(lasting_url: str) -> AsyncIterator[Filled]:
    """People and interactions of every kind, for all tests that change nothing."""
    async with running_graph(lasting_url) as found:
        yield await fill(found)
