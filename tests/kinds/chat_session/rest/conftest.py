"""The contract over a database with seven users, a topic of sales with its members, and chats as tests make them."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.conftest import ManualClock
from tests.kinds.chat_session.conftest import EVE, FAY, GUS, Desk, furnish
from tests.kinds.rest import ACTORS, House, housed


@pytest.fixture
async def house(database_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    everybody = {**ACTORS, **{actor.name.lower(): actor for actor in (EVE, FAY, GUS)}}
    monkeypatch.setattr("tests.kinds.rest.ACTORS", everybody)
    async with housed(database_url, clock) as opened:
        yield opened


@pytest.fixture
async def desk(house: House) -> Desk:
    return await house.database.command(furnish)


@pytest.fixture
async def client(house: House, desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    async with house.client() as opened:
        yield opened
