"""The contract over a database with four users and three customers: 1 can be reached, 2 has unsubscribed, 3 has no
number."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from app.storage.work import Work
from tests.conftest import ManualClock
from tests.kinds.conftest import store_customer, store_users
from tests.kinds.rest import House, housed
from tests.remembering import remembered

CUSTOMER = "d78c6a9e-ff0a-4fd6-b1cc-d2a31cc002d5"


@pytest.fixture
async def house(database_url: str, clock: ManualClock) -> AsyncIterator[House]:
    async with housed(database_url, clock) as opened:
        await opened.database.command(fill)
        yield opened


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx2.AsyncClient]:
    async with house.client(x_request_id="known") as opened:
        yield opened


@remembered
def fill(work: Work) -> None:
    store_users(work)
    system = "SESSION"
    store_customer(work, customer_key=CUSTOMER, system=system, phone_number="+4711111111")
    store_customer(work, customer_key="left", system=system, phone_number="+4722222222", unsubscribed=True)
    store_customer(work, customer_key="numberless", system=system)
    store_customer(work, customer_key="elsewhere", system="CONVERSATION", display_id="+4733333333")
