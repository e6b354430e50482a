"""Bad input: the contract's own error body, and nothing changed."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from tests.conftest import ManualClock
from tests.kinds.rest import House, Untouched, housed
from tests.kinds.session.rest.conftest import CUSTOMER, fill

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

SESSIONS = f"/v1/customers/{CUSTOMER}/sessions"
CURRENT = f"{SESSIONS}/current"
MESSAGES = f"{CURRENT}/messages"


@pytest.fixture
async def opened(client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    response = await client.post(MESSAGES, json={"content": "Hi"})
    assert response.status_code == 201
    return client


async def watched(house: House, client: httpx2.AsyncClient) -> Untouched:
    async def state() -> Any:
        return await house.told(), (await client.get(SESSIONS, headers={"authorization": "Bearer ada"})).json()

    return await Untouched.by(client, state)


@pytest.fixture(scope="module")
async def untouched(module_database_url: str) -> AsyncIterator[Untouched]:
    """A session with one message."""
    async with housed(module_database_url, ManualClock()) as house, house.client(x_request_id="known") as client:
        await house.database.command(fill)
        assert (await client.post(MESSAGES, json={"content": "Hi"})).status_code == 201
        yield await watched(house, client)


async def refused(untouched: Untouched, method: str, path: str, **request: Any) -> Any:
    """What a request that must change nothing is answered."""
    response = await untouched.request(method, path, **request)
    body = response.json()
    assert list(body) == ["error"]
    assert set(body["error"]) - {"fields"} == {"type", "message"}
    return response.status_code, body["error"]["type"], list(body["error"].get("fields", {}))


@pytest.mark.parametrize(
    ("body", "status", "kind", "fields"),
    [
        (b"{", 400, "bad_request", []),
        (b"", 400, "bad_request", []),
        (b"[]", 400, "bad_request", []),
        (b'{"tags": ["\\u0000"]}', 400, "bad_request", []),
        (b'{"need_attention": null}', 422, "record_invalid", ["need_attention"]),
        (b'{"need_attention": "true"}', 422, "record_invalid", ["need_attention"]),
        (b'{"need_attention": 1}', 422, "record_invalid", ["need_attention"]),
        (b'{"tags": "detox"}', 422, "record_invalid", ["tags"]),
        (b'{"tags": {"a": 1}}', 422, "record_invalid", ["tags"]),
        (b'{"tags": ["a", 1]}', 422, "record_invalid", ["tags.1"]),
        (b'{"tags": ["a", ""]}', 422, "record_invalid", ["tags.1"]),
        (b'{"topics": ["' + b"x" * 256 + b'"]}', 422, "record_invalid", ["topics.0"]),
        (b'{"tags": [' + b",".join(b'"%d"' % n for n in range(101)) + b"]}", 422, "record_invalid", ["tags"]),
        (b'{"suggested_messages": [1]}', 422, "record_invalid", ["suggested_messages.0"]),
        (b'{"suggested_messages": [{"id": "a"}]}', 422, "parameter_missing", []),
        (b'{"suggested_messages": [{"content": " "}]}', 422, "record_invalid", ["suggested_messages.0.content"]),
        (b'{"suggested_messages": [{"content": 1}]}', 422, "record_invalid", ["suggested_messages.0.content"]),
        (b'{"suggested_messages": [{"id": 1, "content": "a"}]}', 422, "record_invalid", ["suggested_messages.0.id"]),
        (
            b'{"suggested_messages": [{"content": "a", "content_type": "html"}]}',
            422,
            "record_invalid",
            ["suggested_messages.0.content_type"],
        ),
        (b'{"tags": ["kept"], "need_attention": 7}', 422, "record_invalid", ["need_attention"]),
    ],
)
async def test_updates(untouched: Untouched, body: bytes, status: int, kind: str, fields: list[str]) -> None:
    headers = {"content-type": "application/json"}
    assert await refused(untouched, "PATCH", CURRENT, content=body, headers=headers) == (status, kind, fields)


@pytest.mark.parametrize(
    ("body", "kind", "fields"),
    [
        ({}, "parameter_missing", []),
        ({"content": None}, "parameter_missing", []),
        ({"content": ""}, "record_invalid", ["content.text.content"]),
        ({"content": 5}, "record_invalid", ["content"]),
        ({"content": "x" * 65_537}, "record_invalid", ["content.text.content"]),
        ({"content": "x", "content_type": "image"}, "record_invalid", ["content_type"]),
        ({"content": "x", "sender_role": "admin"}, "record_invalid", ["sender_role"]),
        ({"content": "x", "sender_role": ["agent"]}, "record_invalid", ["sender_role"]),
        ({"content": "x", "sent_at": "yesterday"}, "record_invalid", ["sent_at"]),
        ({"content": "x", "sent_at": 5}, "record_invalid", ["sent_at"]),
        # What the graph could not write, or a database not hold, of either end of time.
        ({"content": "x", "sent_at": "0001-12-31T23:59:59Z"}, "record_invalid", ["sent_at"]),
        ({"content": "x", "sent_at": "0002-01-01T00:00:00+00:01"}, "record_invalid", ["sent_at"]),
        ({"content": "x", "sent_at": "9998-12-31T23:59:59-00:01"}, "record_invalid", ["sent_at"]),
        ({"content": "x", "sent_at": "9999-01-01T00:00:00Z"}, "record_invalid", ["sent_at"]),
        ({"content": "x", "sent_at": "2016-02-30T00:00:00Z"}, "record_invalid", ["sent_at"]),
    ],
)
async def test_messages(untouched: Untouched, body: dict[str, Any], kind: str, fields: list[str]) -> None:
    assert await refused(untouched, "POST", MESSAGES, json=body) == (422, kind, fields)


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/v1/customers/nobody/sessions", 404, "not_found"),
        ("GET", "/v1/customers/nobody/sessions/current", 404, "not_found"),
        ("PATCH", "/v1/customers/nobody/sessions/current", 404, "not_found"),
        ("POST", "/v1/customers/nobody/sessions/current/messages", 404, "not_found"),
        ("GET", f"{SESSIONS}/00000000-0000-7000-8000-00000000000f", 404, "not_found"),
        ("PATCH", f"{SESSIONS}/00000000-0000-7000-8000-00000000000f", 404, "not_found"),
        # A session of somebody else.
        ("GET", "/v1/customers/left/sessions/00000000-0000-7000-8000-000000000001", 404, "not_found"),
        ("PATCH", "/v1/customers/left/sessions/00000000-0000-7000-8000-000000000001", 404, "not_found"),
        ("GET", "/v1/customers/left/sessions/00000000-0000-7000-8000-000000000001/messages", 404, "not_found"),
        ("POST", "/v1/customers/left/sessions/00000000-0000-7000-8000-000000000001/messages", 404, "not_found"),
        ("PATCH", "/v1/suggested_messages/00000000-0000-7000-8000-00000000000f", 404, "not_found"),
        ("PATCH", "/v1/suggested_messages/sug_1", 404, "not_found"),
        ("GET", "/v1/customers/'%20OR%20'1'='1/sessions/current", 404, "not_found"),
        ("GET", "/v1/customers/a%00b/sessions", 404, "routing_error"),
        ("GET", "/v1/nothing", 404, "routing_error"),
        ("PATCH", f"{CURRENT}/messages", 405, "method_not_allowed"),
        ("DELETE", CURRENT, 405, "method_not_allowed"),
        ("PUT", CURRENT, 405, "method_not_allowed"),
        ("GET", f"{SESSIONS}?limit=0", 422, "record_invalid"),
        ("GET", f"{SESSIONS}?limit=501", 422, "record_invalid"),
        ("GET", f"{SESSIONS}?limit=ten", 422, "record_invalid"),
        ("GET", f"{SESSIONS}?offset=-1", 422, "record_invalid"),
        ("GET", f"{MESSAGES}?offset=1;DROP", 422, "record_invalid"),
    ],
)
async def test_paths_and_parameters(untouched: Untouched, method: str, path: str, status: int, kind: str) -> None:
    body = {} if method == "GET" else {"json": {"content": "x", "tags": ["x"]}}
    assert (await refused(untouched, method, path, **body))[:2] == (status, kind)


async def test_nothing_current_is_no_fault_of_a_field(client: httpx2.AsyncClient, house: House) -> None:
    found = await refused(await watched(house, client), "PATCH", CURRENT, json={"tags": []})
    assert found == (404, "not_found", [])


async def test_verbs_name_what_is_allowed(untouched: Untouched) -> None:
    assert (await untouched.request("DELETE", CURRENT)).headers["allow"] == "GET, HEAD, PATCH, POST"


@pytest.mark.parametrize(
    ("authorization", "method", "path", "status", "kind"),
    [
        ("", "GET", CURRENT, 401, "unauthorized"),
        ("Bearer nobody", "PATCH", CURRENT, 401, "unauthorized"),
        ("Basic Ym86Ym8=", "GET", CURRENT, 401, "unauthorized"),
        ("Bearer bo\tada", "PATCH", CURRENT, 401, "unauthorized"),
        ("Bearer cy", "PATCH", CURRENT, 403, "forbidden"),
        ("Token cy", "POST", MESSAGES, 403, "forbidden"),
        ("Bearer dee", "GET", CURRENT, 403, "forbidden"),
        ("Bearer dee", "GET", SESSIONS, 403, "forbidden"),
        ("Bearer bo", "GET", "/v1/customers?phone_number=1234", 403, "forbidden"),
        ("Bearer bo", "GET", "/v1/customers?phone_number=nothing", 403, "forbidden"),
        ("Bearer bo", "GET", f"/v1/customers/{CUSTOMER}", 403, "forbidden"),
        ("Bearer bo", "PATCH", f"/v1/customers/{CUSTOMER}", 403, "forbidden"),
        ("Bearer bo", "POST", f"/v1/customers/{CUSTOMER}/unsubscribe", 403, "forbidden"),
        ("Bearer bo", "DELETE", f"/v1/customers/{CUSTOMER}", 403, "forbidden"),
        ("Bearer ada", "GET", "/v1/customers", 422, "parameter_missing"),
        ("Bearer ada", "GET", "/v1/customers/elsewhere", 404, "not_found"),
        ("Bearer ada", "PATCH", "/v1/customers/elsewhere", 404, "not_found"),
        ("Bearer ada", "DELETE", "/v1/customers/nobody", 404, "not_found"),
    ],
)
async def test_credentials_and_permissions(
    untouched: Untouched, authorization: str, method: str, path: str, status: int, kind: str
) -> None:
    body = {} if method in ("GET", "DELETE") else {"json": {"content": "x", "tags": ["x"]}}
    headers = {"authorization": authorization}
    assert (await refused(untouched, method, path, headers=headers, **body))[:2] == (status, kind)


@pytest.mark.parametrize("customer", ["left", "numberless"])
async def test_who_cannot_be_written_to(client: httpx2.AsyncClient, house: House, customer: str) -> None:
    path = f"/v1/customers/{customer}/sessions/current/messages"
    assert await refused(await watched(house, client), "POST", path, json={"content": "x"}) == (
        422,
        "record_invalid",
        [],
    )
    assert (await client.get(f"/v1/customers/{customer}/sessions")).json() == []
    response = await client.post(path, json={"content": "x", "sender_role": "end-user"})
    assert response.status_code == 201


async def test_headers_cannot_be_injected(opened: httpx2.AsyncClient, house: House) -> None:
    given = {"idempotency-key": "k\tx", "x-request-id": "a b", "x-forwarded-host": "evil"}
    response = await opened.post(MESSAGES, json={"content": "x'; DROP TABLE message; --\r\nX: y"}, headers=given)
    assert response.status_code == 201
    assert response.json()["content"] == "x'; DROP TABLE message; --\r\nX: y"
    assert response.headers["x-request-id"] != "a b"
