"""The contract over the people, channel agents and customers of the kind's other tests."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import orjson
import pytest

from app.interactions.service.messages import Posted, receive_message
from app.kinds.conversation.rest import CONTRACT
from app.rest.openapi import written
from app.storage.work import Work
from tests.conftest import ManualClock
from tests.kinds.conftest import BO
from tests.kinds.conversation.conftest import Desk, furnish
from tests.kinds.conversation.rest.schema import faults, resolved
from tests.kinds.rest import House, housed

BASE = "/third-party/v1"
ONE = f"{BASE}/conversations/1"
DOCUMENT = orjson.loads(written(CONTRACT))


async def as_described(response: httpx2.Response) -> None:
    """Hold every answer of the tests to the contract's own document."""
    await response.aread()
    described = _described(response.request.method, response.request.url.path)
    if described is None or response.status_code == 405:
        assert response.status_code in (404, 405)
        return
    said = resolved(DOCUMENT, described["responses"][str(response.status_code)]).get("content")
    if said is None:
        assert response.content == b""
        return
    schema = said["application/json"]["schema"]
    assert list(faults(DOCUMENT, schema, response.json(), closed=True)) == []


def _described(method: str, path: str) -> Any:
    given = path.removeprefix(BASE).split("/")
    for template, operations in DOCUMENT["paths"].items():
        parts = template.split("/")
        pairs = zip(parts, given, strict=False)
        if len(parts) == len(given) and all(part == value or part[:1] == "{" for part, value in pairs):
            return operations.get(method.lower())
    return None


@pytest.fixture
async def house(database_url: str, clock: ManualClock) -> AsyncIterator[House]:
    async with housed(database_url, clock) as opened:
        yield opened


@pytest.fixture
async def desk(house: House) -> Desk:
    return await house.database.command(furnish)


@pytest.fixture
async def client(house: House, desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    async with as_client(house) as opened:
        yield opened


def as_client(house: House) -> httpx2.AsyncClient:
    """Bo; what they are answered is held to the description."""
    client = house.client(x_request_id="known")
    client.event_hooks = {"response": [as_described]}
    return client


@pytest.fixture
async def opened(house: House, desk: Desk, client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """A client, once Ana has written on WhatsApp: conversation 1 with message 1."""
    await house.database.command(hear, desk.ana, desk.whatsapp, "Where is my parcel?")
    return client


def hear(work: Work, /, customer: int, agent: int, *texts: str, **more: Any) -> Posted:
    """The customer writes to the channel agent."""
    target = {"kind": "conversation", "customer_id": customer, "channel_agent_id": agent}
    return receive_message(work, BO, target, [{"type": "text", "content": text} for text in texts], **more)
