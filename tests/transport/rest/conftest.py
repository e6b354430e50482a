"""A client of the small contract."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from app.asgi import create_app
from app.core.actor import Actor
from app.settings import Settings
from app.storage.database import Database
from tests.conftest import CountingIds, ManualClock
from tests.transport.library import ADMIN, READER, SLICES, fill
from tests.transport.rest.shelf import CONTRACT


class Keys:
    async def actor_of(self, key: str) -> Actor | None:
        return {"admin": ADMIN, "reader": READER}.get(key)


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, max_body_bytes=2_000)


@pytest.fixture
async def client(database: Database, settings: Settings, clock: ManualClock) -> AsyncIterator[httpx2.AsyncClient]:
    await database.command(fill)
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
