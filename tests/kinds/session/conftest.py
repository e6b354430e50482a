"""A database with the users and three customers: 1 can be reached, 2 has unsubscribed, 3 has no number."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.kinds.session.service import Rules
from app.storage.database import Database, Work
from tests.kinds.conftest import store_customer, store_users
from tests.remembering import remembered

CUSTOMER_KEY = "d78c6a9e-ff0a-4fd6-b1cc-d2a31cc002d5"


@pytest.fixture
def kinds() -> Mapping[str, Any]:
    return {"session": Rules()}


@pytest.fixture
async def peopled(database: Database) -> Database:
    await database.command(fill)
    return database


@remembered
def fill(work: Work) -> None:
    store_users(work)
    system = "SESSION"
    store_customer(work, customer_key=CUSTOMER_KEY, system=system, phone_number="+4711111111")
    store_customer(work, customer_key="left", system=system, phone_number="+4722222222", unsubscribed=True)
    store_customer(work, customer_key="unknown", system=system)
