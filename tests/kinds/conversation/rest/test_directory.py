"""Channel agents, customers, their users and profiles through the contract."""

import httpx2
import pytest

from app.storage.work import Work
from tests.kinds.conftest import store_customer
from tests.kinds.conversation.conftest import Desk
from tests.kinds.conversation.rest.conftest import BASE
from tests.kinds.rest import House

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

ADA = {"authorization": "Bearer ada"}


def elsewhere(work: Work) -> int:
    return store_customer(work, customer_key="s", system="SESSION")


async def test_agents(opened: httpx2.AsyncClient) -> None:
    found = (await opened.get(f"{BASE}/agents")).json()
    assert list(found) == ["data"]
    assert [(each["id"], each["channel"], each["in_sync"]) for each in found["data"]] == [
        (1, "whatsapp", True),
        (2, "widget", True),
        (3, "bridge", True),
        (4, "whatsapp", False),
    ]
    assert [each["unread_conversations_count"] for each in found["data"]] == [1, 0, 0, 0]
    assert (await opened.get(f"{BASE}/agents/1")).json() == {"data": found["data"][0]}


async def test_customers(client: httpx2.AsyncClient, house: House, desk: Desk) -> None:
    other = await house.database.command(elsewhere)
    found = (await client.get(f"{BASE}/customers", headers=ADA)).json()
    assert [each["id"] for each in found["data"]] == [desk.ana, desk.wim, desk.bea, desk.blocked]
    assert (found["meta"]["total"], found["meta"]["path"]) == (4, f"http://test{BASE}/customers")
    ana = {"id": desk.ana, "channel": "whatsapp", "display_id": "4915100000001", "name": "Ana"}
    assert found["data"][0] == ana
    assert (await client.get(f"{BASE}/customers/{desk.ana}", headers=ADA)).json() == {"data": ana}
    page = (await client.get(f"{BASE}/customers", params={"per_page": 3, "page": 2}, headers=ADA)).json()
    assert [each["id"] for each in page["data"]] == [desk.blocked]
    for path in (f"customers/{other}", f"customers/{other}/users", "customers/99", "customers/99/users"):
        assert (await client.get(f"{BASE}/{path}", headers=ADA)).status_code == 404


async def test_a_profile(client: httpx2.AsyncClient, desk: Desk) -> None:
    found = (await client.get(f"{BASE}/profiles/{desk.blocked_profile}", headers=ADA)).json()["data"]
    assert found == {
        "id": desk.blocked_profile,
        "name": "Bad",
        "gender": "undisclosed",
        "blocked": True,
        "date_of_birth": None,
        "phone_number": None,
        "email": None,
        "address": None,
        "custom_1": None,
        "custom_2": None,
        "custom_3": None,
        "custom_4": None,
        "custom_5": None,
        "created_at": "2026-01-05T09:00:00Z",
        "updated_at": "2026-01-05T09:00:00Z",
    }
    blocked = (await client.get(f"{BASE}/customers/{desk.blocked}", headers=ADA)).json()["data"]
    assert blocked["profile"] == found


async def test_who_can_see_a_customer(client: httpx2.AsyncClient, desk: Desk) -> None:
    found = (await client.get(f"{BASE}/customers/{desk.ana}/users", headers=ADA)).json()
    # Ada is an admin, Dee may not read conversations, Ivo has left.
    assert [(each["id"], each["name"], each["roles"]) for each in found["data"]] == [(2, "Bo", []), (3, "Cy", [])]
