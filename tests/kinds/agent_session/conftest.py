"""A database with the users, one customer and one AI agent; every unit knows AgentSessions alone."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.kinds.agent_session import service
from app.storage.database import Database, Work
from tests.kinds.conftest import BO, store_customer, store_users
from tests.remembering import remembered

AGENT_KEY = "agt_customer_support"
SESSION_KEY = "ase_customer_support_001"
CUSTOMER_KEY = "customer_12345"


@pytest.fixture
def kinds() -> Mapping[str, Any]:
    return {"agent_session": service.Rules()}


@pytest.fixture
async def peopled(database: Database) -> Database:
    await database.command(fill)
    return database


@remembered
def fill(work: Work) -> None:
    store_users(work)
    store_customer(work, customer_key=CUSTOMER_KEY, system="AGENT_SESSION")
    service.create_agent(work, BO, {"name": "Support"}, agent_key=AGENT_KEY)
    work.events.clear()
