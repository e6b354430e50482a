from typing import Any

import httpx2
import pytest

from tests.kinds.rest import House
from tests.kinds.session.rest.conftest import CUSTOMER

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

KNOWN = f"/v1/customers/{CUSTOMER}"


@pytest.fixture
async def admin(house: House) -> Any:
    async with house.client(authorization="Bearer ada", x_request_id="known") as opened:
        yield opened


async def test_a_customer_is_made_read_and_changed(admin: httpx2.AsyncClient) -> None:
    given = {
        "phone_number": "+47 999 99 999",
        "country_code": "NO",
        "email": "zoe@example.com",
        "first_name": "Zoë",
        "last_name": "Lie",
        "time_zone": "Europe/Oslo",
        "tags": ["vip"],
        "shipping_rate": 500,
        "billing_address": {"city": "Oslo", "zip": "0150"},
        "unsubscribed": True,
        "id": "chosen",
    }
    response = await admin.post("/v1/customers", json=given)
    made = {
        "id": "00000000-0000-7000-8000-000000000001",
        "phone_number": "+4799999999",
        "country_code": "NO",
        "email": "zoe@example.com",
        "first_name": "Zoë",
        "last_name": "Lie",
        "time_zone": "Europe/Oslo",
        "tags": ["vip"],
        "shipping_rate": 500,
        "unsubscribed": False,
        "billing_address": {"city": "Oslo", "zip": "0150"},
        "shipping_address": None,
        "card": None,
        "confirmed_at": None,
        "created_at": "2026-01-05T09:00:00.000Z",
        "updated_at": "2026-01-05T09:00:00.000Z",
    }
    assert (response.status_code, response.json()) == (201, made)
    path = f"/v1/customers/{made['id']}"
    assert (await admin.get(path)).json() == made
    changed = await admin.patch(path, json={"email": None, "tags": None, "first_name": "Z"})
    assert changed.json() == made | {"email": None, "tags": [], "first_name": "Z"}


@pytest.mark.parametrize("number", ["%2B4711111111", "+4711111111", "%2B47%20111%2011%20111"])
async def test_a_customer_is_found_by_number(admin: httpx2.AsyncClient, number: str) -> None:
    found = (await admin.get(f"/v1/customers?phone_number={number}")).json()
    assert [each["id"] for each in found] == [CUSTOMER]


@pytest.mark.parametrize("number", ["%2B4733333333", "%2B4700000000", "nothing", "%27%20OR%201=1"])
async def test_nobody_has_the_number(admin: httpx2.AsyncClient, number: str) -> None:
    response = await admin.get(f"/v1/customers?phone_number={number}")
    assert (response.status_code, response.json()) == (200, [])


async def test_subscriptions_fail_when_it_is_so_already(admin: httpx2.AsyncClient) -> None:
    for verb, status in (("subscribe", 409), ("unsubscribe", 204), ("unsubscribe", 409), ("subscribe", 204)):
        response = await admin.post(f"{KNOWN}/{verb}")
        assert response.status_code == status
        assert response.content == b"" if status == 204 else response.json()["error"]["type"] == "conflict"


async def test_erasing_takes_the_sessions_along(admin: httpx2.AsyncClient, house: House) -> None:
    await admin.post(f"{KNOWN}/sessions/current/messages", json={"content": "Hi"})
    response = await admin.delete(KNOWN)
    assert (response.status_code, response.content) == (204, b"")
    assert (await admin.get(KNOWN)).status_code == 404
    assert (await admin.get(f"{KNOWN}/sessions")).status_code == 404
    assert [topic for topic, _, _ in await house.told()][-2:] == ["session.deleted", "customer.deleted"]


async def test_of_other_systems_only_who_has_a_session_is_known(admin: httpx2.AsyncClient) -> None:
    elsewhere = "/v1/customers/elsewhere"
    assert (await admin.get(f"{elsewhere}/sessions")).status_code == 404
    said = {"content": "Hi", "sender_role": "end-user"}
    assert (await admin.post(f"{elsewhere}/sessions/current/messages", json=said)).status_code == 201
    assert len((await admin.get(f"{elsewhere}/sessions")).json()) == 1


async def test_a_number_is_one_customers(admin: httpx2.AsyncClient, house: House) -> None:
    before = await house.told()
    response = await admin.post("/v1/customers", json={"phone_number": "+4711111111"})
    assert response.status_code == 422
    message = "Another customer has this telephone number."
    assert response.json() == {
        "error": {"type": "record_not_unique", "message": message, "fields": {"phone_number": message}}
    }
    assert await house.told() == before
