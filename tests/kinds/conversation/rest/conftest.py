"""The contract over the people, channel agents and customers of the kind's other tests."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from app.interactions.service.messages import Posted, receive_message
from app.storage.work import Work
from tests.conftest import ManualClock
from tests.kinds.conftest import BO
from tests.kinds.conversation.conftest import Desk, furnish
from tests.kinds.rest import House, housed

BASE = "/third-party/v1"
ONE = f"{BASE}/conversations/1"


@pytest.fixture
async def house(database_url: str, clock: ManualClock) -> AsyncIterator[House]:
    async with housed(database_url, clock) as opened:
        yield opened


@pytest.fixture
async def desk(house: House) -> Desk:
    return await house.database.command(furnish)


@pytest.fixture
async def client(house: House, desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    async with house.client(x_request_id="known") as opened:
        yield opened


@pytest.fixture
async def opened(house: House, desk: Desk, client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """A client, once Ana has written on WhatsApp: conversation 1 with message 1."""
    await house.database.command(hear, desk.ana, desk.whatsapp, "Where is my parcel?")
    return client


def hear(work: Work, /, customer: int, agent: int, *texts: str, **more: Any) -> Posted:
    """The customer writes to the channel agent."""
    target = {"kind": "conversation", "customer_id": customer, "channel_agent_id": agent}
    return receive_message(work, BO, target, [{"type": "text", "content": text} for text in texts], **more)
