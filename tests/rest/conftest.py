"""A client of the small contract."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from app.asgi import create_app
from app.core.actor import Actor
from app.settings import Settings
from app.storage.database import Database, open_database
from tests.conftest import CountingIds, ManualClock
from tests.kit.library import ADMIN, READER, SLICES, fill
from tests.rest.shelf import CONTRACT


class Keys:
    async def actor_of(self, key: str) -> Actor | None:
        return {"admin": ADMIN, "reader": READER}.get(key)


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, max_body_bytes=2_000)


@pytest.fixture
async def client(database: Database, settings: Settings, clock: ManualClock) -> AsyncIterator[httpx2.AsyncClient]:
    await database.command(fill)
    async with serving_shelf(settings, clock) as opened:
        yield opened


@pytest.fixture(scope="module")
async def lasting_client(module_database_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """For all requests of a module that change nothing; `unchanging` gives it to a test."""
    settings, clock = Settings(database_url=module_database_url, max_body_bytes=2_000), ManualClock()
    database = await open_database(module_database_url, clock=clock, ids=CountingIds(), settings=settings)
    await database.command(fill)
    await database.close()
    async with serving_shelf(settings, clock) as opened:
        yield opened


@pytest.fixture
async def unchanging(lasting_client: httpx2.AsyncClient) -> AsyncIterator[httpx2.AsyncClient]:
    """A client whose requests must leave the shelf as it is."""
    yield lasting_client
    found = await lasting_client.post("/graphql", json={"query": "{ books { nodes { id title tags version } } }"})
    titles = ("The Dispossessed", "Steering the Craft", "Invisible Cities")
    assert found.json()["data"]["books"]["nodes"] == [
        {"id": f"boo_{number}", "title": title, "tags": ["a", "b"], "version": 1}
        for number, title in enumerate(titles, 1)
    ]


@asynccontextmanager
async def serving_shelf(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(
        settings,
        clock=clock,
        ids=CountingIds(),
        slices=SLICES,
        authenticator=lambda _: Keys(),
        contracts=(CONTRACT,),
    )
    async with app.router.lifespan_context(app) as state:

        async def with_state(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "state": dict(state or {})}, receive, send)

        transport = httpx2.ASGITransport(with_state)
        headers = {"authorization": "Bearer admin"}
        async with httpx2.AsyncClient(transport=transport, base_url="http://test", headers=headers) as opened:
            yield opened
