"""The contract over a database with four users, an agent and a session of it."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from app.kinds.agent_session import service
from app.storage.work import Work
from tests.conftest import ManualClock
from tests.kinds.conftest import BO, store_users
from tests.kinds.rest import House, housed
from tests.remembering import remembered

AGENT = "/v2/agents/agt_customer_support"
SESSIONS = f"{AGENT}/sessions"
SESSION = f"{SESSIONS}/ase_customer_support_001"


@pytest.fixture
async def house(database_url: str, clock: ManualClock) -> AsyncIterator[House]:
    async with housed(database_url, clock) as opened:
        await opened.database.command(fill)
        yield opened


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx2.AsyncClient]:
    async with as_client(house) as opened:
        yield opened


def as_client(house: House) -> httpx2.AsyncClient:
    """Bo, as those who use the contract say who they are."""
    return house.client(authorization="", x_api_key="bo", x_request_id="known")


@remembered
def fill(work: Work) -> None:
    store_users(work)
    service.create_agent(work, BO, {"name": "Support"}, agent_key="agt_customer_support")
    service.create(work, BO, "agt_customer_support", {"name": "First"}, agent_session_key="ase_customer_support_001")
