import base64

import httpx2
import pytest

from tests.kinds.chat_session.conftest import Desk, event_count
from tests.kinds.chat_session.rest.test_sessions import BASE, make
from tests.kinds.rest import House

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]


@pytest.mark.parametrize(
    "authorization",
    ["Basic " + base64.b64encode(b"anybody:bo").decode(), "SoTicket bo", "SOTICKET bo", "Bearer bo"],
)
async def test_every_scheme(house: House, desk: Desk, authorization: str) -> None:
    async with house.client(authorization=authorization) as client:
        await make(client, desk)


@pytest.mark.parametrize("authorization", ["", "Bearer zoe", "Basic " + base64.b64encode(b"bo:").decode()])
async def test_without_credentials(house: House, desk: Desk, authorization: str) -> None:
    async with house.client(authorization=authorization, x_xsrf_token="bo") as client:
        refused = await client.put(f"{BASE}/1", json={})
    assert refused.status_code == 401
    assert refused.json()["ErrorType"] == "SoAuthenticationException"
    challenges = refused.headers.get_list("www-authenticate")
    assert challenges == ['Basic realm="Switchboard", charset="UTF-8"', "SOTicket", "Bearer"]


async def test_without_permission(client: httpx2.AsyncClient, house: House, desk: Desk) -> None:
    await make(client, desk)
    told = await event_count(house.database)
    async with house.client(authorization="Bearer cy") as cy, house.client(authorization="Bearer dee") as dee:
        assert (await cy.get(f"{BASE}/1")).json()["TableRight"]["Mask"] == "Select"
        for client, method, path, status in (
            (cy, "PUT", "/1", 403),
            (cy, "PATCH", "/1", 403),
            (cy, "POST", "", 403),
            (cy, "DELETE", "/1", 403),
            (cy, "POST", "/1/AcceptTransfer", 403),
            (dee, "GET", "/1", 403),
            (dee, "GET", "/default", 403),
            (dee, "GET", "/1/Messages", 403),
            (dee, "GET", "/ForCurrentUser", 403),
            (dee, "PUT", "/1", 403),
        ):
            refused = await client.request(method, f"{BASE}{path}", json={"TopicId": desk.sales})
            assert (method, path, refused.status_code) == (method, path, status)
    assert await event_count(house.database) == told


async def test_the_error_body(client: httpx2.AsyncClient) -> None:
    refused = await client.get(f"{BASE}/99999")
    assert refused.status_code == 404
    assert refused.headers["content-type"] == "application/json; charset=utf-8"
    assert refused.json() == {
        "Error": True,
        "ErrorType": "SoNotFoundException",
        "ErrorMessage": "ChatSession id 99999 not found",
        "Message": "ChatSession id 99999 not found",
        "ErrorSource": "Switchboard",
        "ErrorCode": "NOT_FOUND",
    }


async def test_errors_name_fields_as_the_contract_does(client: httpx2.AsyncClient, desk: Desk) -> None:
    await make(client, desk)
    long = (await client.patch(f"{BASE}/1", json={"CustomerAlias": "x" * 65})).json()
    assert long["Message"] == "CustomerAlias may have at most 64 characters, not 65."
    empty = (await client.post(f"{BASE}/1/Messages", json={"Message": ""})).json()
    assert empty["Message"] == "Message: This must not be empty."
    topic = (await client.post(BASE, json={"TopicId": "x"})).json()
    assert topic["Message"] == "TopicId has to be a whole number from 0 to 2147483647."


@pytest.mark.parametrize("path", ["/x", "/0x1", "/-1", "/2147483648", "/99999999999999999999", "/1%27%20OR%201=1"])
async def test_what_is_no_chat(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.get(f"{BASE}{path}")).status_code == 404


async def test_wrong_verbs(client: httpx2.AsyncClient) -> None:
    refused = await client.post(f"{BASE}/1")
    assert (refused.status_code, refused.headers["allow"]) == (405, "DELETE, GET, HEAD, PATCH, PUT")
    refused = await client.get("/api/v1/Agents/Chat/GetChatMessages")
    assert (refused.status_code, refused.headers["allow"], refused.json()["Error"]) == (405, "POST", True)


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("text/json", "text/json"),
        ("application/xml;q=0.9, text/json;q=0.5", "text/json"),
        ("application/xml, */*;q=0.1", "application/json"),
        ("text/*", "text/json"),
        ("application/merge-patch+json", "application/merge-patch+json"),
        ("application/*;q=x", "application/json"),
    ],
)
async def test_the_media_type_of_an_answer(client: httpx2.AsyncClient, accept: str, given: str) -> None:
    response = await client.get(f"{BASE}/default", headers={"accept": accept})
    assert response.headers["content-type"] == f"{given}; charset=utf-8"


@pytest.mark.parametrize("accept", ["application/xml", "text/xml", "text/html", "application/json;q=0"])
async def test_an_answer_that_cannot_be_given(
    client: httpx2.AsyncClient, house: House, desk: Desk, accept: str
) -> None:
    told = await event_count(house.database)
    refused = await client.post(BASE, json={"TopicId": desk.sales}, headers={"accept": accept})
    assert (refused.status_code, refused.json()["ErrorType"]) == (406, "HttpNotAcceptableException")
    assert await event_count(house.database) == told


@pytest.mark.parametrize(
    "media_type", ["application/xml", "text/xml", "text/plain", "application/json; charset=utf-16"]
)
async def test_a_body_that_cannot_be_read(client: httpx2.AsyncClient, media_type: str) -> None:
    refused = await client.put(f"{BASE}/1", content=b"<a/>", headers={"content-type": media_type})
    assert (refused.status_code, refused.json()["ErrorType"]) == (415, "HttpUnsupportedMediaTypeException")


@pytest.mark.parametrize("content", [b"{", b'{"CustomerName": "\\u0000"}', b"[1", b"\xff"])
async def test_what_is_no_json(client: httpx2.AsyncClient, desk: Desk, content: bytes) -> None:
    await make(client, desk)
    refused = await client.put(f"{BASE}/1", content=content, headers={"content-type": "text/json"})
    assert (refused.status_code, refused.json()["ErrorType"]) == (400, "ArgumentException")


@pytest.mark.parametrize(
    ("zone", "time"),
    [
        ("Europe/Oslo", "2026-01-05T10:00:00.0000000+01:00"),
        ("America/St_Johns", "2026-01-05T05:30:00.0000000-03:30"),
        ("+05:30", "2026-01-05T14:30:00.0000000+05:30"),
        ("GMT-0200", "2026-01-05T07:00:00.0000000-02:00"),
        ("utc", "2026-01-05T09:00:00.0000000+00:00"),
    ],
)
async def test_times_in_the_zone_asked_for(client: httpx2.AsyncClient, desk: Desk, zone: str, time: str) -> None:
    await make(client, desk)
    response = await client.get(f"{BASE}/1", headers={"so-timezone": zone})
    assert response.json()["WhenRequested"] == time


@pytest.mark.parametrize("zone", ["Nowhere", "Europe", "../etc", "+99:00"])
async def test_zones_that_there_are_none_of(client: httpx2.AsyncClient, house: House, desk: Desk, zone: str) -> None:
    told = await event_count(house.database)
    refused = await client.post(BASE, json={"TopicId": desk.sales}, headers={"so-timezone": zone})
    assert (refused.status_code, refused.json()["ErrorType"]) == (400, "ArgumentException")
    assert await event_count(house.database) == told
