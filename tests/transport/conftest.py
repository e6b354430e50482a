"""The library's graph over a fresh database."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
import pytest

from app.core.actor import Actor
from app.settings import Settings
from app.storage.database import Database
from app.transport.context import Context
from app.transport.operation import Operations
from app.transport.outcome import GraphQLRequest, Phase
from tests.conftest import ManualClock
from tests.transport.library import ADMIN, fill, make_operations

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
