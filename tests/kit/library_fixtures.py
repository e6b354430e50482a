"""The library's graph over a fresh database."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.core.actor import Actor
from app.execution.operation import Operations
from app.execution.outcome import GraphQLRequest, Phase
from app.graph.context import Context
from app.settings import Settings
from app.storage.database import Database, open_database
from tests.conftest import CountingIds, ManualClock
from tests.kit.library import ADMIN, fill, make_operations
from tests.kit.library_server import Keys, serving_library, telling
from tests.serving import Served

Run = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def library(database: Database) -> Database:
    await database.command(fill)
    return database


@pytest.fixture
def operations(library: Database, settings: Settings, clock: ManualClock) -> Operations:
    return make_operations(library, settings, clock)


@pytest.fixture
def run(operations: Operations, library: Database, settings: Settings, clock: ManualClock) -> Run:
    """Run an operation; the answer, with its phase under `phase` unless it was executed."""

    async def run(
        query: str, variables: Mapping[str, Any] | None = None, *, actor: Actor = ADMIN, name: str | None = None
    ) -> dict[str, Any]:
        context = Context(library, actor, settings, clock, "req-1")
        outcome = await operations.run(GraphQLRequest(query, name, variables or {}), context)
        answer: dict[str, Any] = orjson.loads(outcome.body)
        return answer if outcome.phase is Phase.EXECUTION else answer | {"phase": outcome.phase.name}

    return run


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
async def served(library: Database, database_url: str, clock: ManualClock, keys: Keys) -> AsyncIterator[Served]:
    """A server over the library; what the test commits reaches it as another process's commits do."""
    async with telling(library, database_url), serving_library(database_url, clock, keys) as served:
        yield served


@pytest.fixture
async def sqlite_library(tmp_path: Path, sqlite_template: Path, clock: ManualClock) -> AsyncIterator[Database]:
    """For what has nothing to do with the kind of database."""
    path = shutil.copyfile(sqlite_template, tmp_path / "library.db")
    opened = await open_database(f"sqlite:///{path}", clock=clock, ids=CountingIds(), settings=Settings())
    await opened.command(fill)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_served(
    sqlite_library: Database, tmp_path: Path, clock: ManualClock, keys: Keys
) -> AsyncIterator[Served]:
    async with serving_library(f"sqlite:///{tmp_path / 'library.db'}", clock, keys) as served:
        yield served
