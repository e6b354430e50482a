"""Bad input: the contract's own error bodies, and nothing changed."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from app.core.paging import encode_cursor
from tests.conftest import ManualClock
from tests.kinds.agent_session.rest.conftest import AGENT, SESSION, SESSIONS, as_client, fill
from tests.kinds.rest import House, Untouched, housed

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

EVENTS = f"{SESSION}/events"


async def watched(house: House, client: httpx2.AsyncClient) -> Untouched:
    async def state() -> Any:
        return await house.told(), (await client.get(SESSIONS, headers={"x-api-key": "ada"})).content

    return await Untouched.by(client, state)


@pytest.fixture(scope="module")
async def untouched(module_database_url: str) -> AsyncIterator[Untouched]:
    """An agent with a session."""
    async with housed(module_database_url, ManualClock()) as house, as_client(house) as client:
        await house.database.command(fill)
        yield await watched(house, client)


async def refused(untouched: Untouched, method: str, path: str, **request: Any) -> Any:
    """The status and body of a request that must change nothing."""
    response = await untouched.request(method, path, **request)
    body = response.json()
    assert body["request_id"] == "known"
    assert isinstance(body["messages"], list)
    assert response.status_code != 409
    return response.status_code, body


@pytest.mark.parametrize(
    ("body", "code", "fields"),
    [
        (b"{", "invalid_request", []),
        (b"", "invalid_request", []),
        (b"[]", "invalid_request", []),
        (b'{"name": "\\u0000"}', "invalid_request", []),
        (b'{"name": "\\ud800"}', "invalid_request", []),
        (b'{"name": null}', "invalid_request", ["name"]),
        (b'{"name": ""}', "invalid_request", ["name"]),
        (b'{"name": "' + b"x" * 256 + b'"}', "invalid_request", ["name"]),
        (b'{"name": 5}', "invalid_request", ["name"]),
        (b'{"description": ["x"]}', "invalid_request", ["description"]),
        (b'{"description": "' + b"x" * 10_001 + b'"}', "invalid_request", ["description"]),
        (b'{"enabled": null}', "invalid_request", ["enabled"]),
        (b'{"enabled": "true"}', "invalid_request", ["enabled"]),
        (b'{"tti_minutes": -1}', "invalid_request", ["tti_minutes"]),
        (b'{"tti_minutes": 1.5}', "invalid_request", ["tti_minutes"]),
        (b'{"tti_minutes": 99999999999999999999}', "invalid_request", ["tti_minutes"]),
        (b'{"metadata": "{}"}', "invalid_metadata", ["metadata"]),
        (b'{"metadata": []}', "invalid_metadata", ["metadata"]),
        (b'{"metadata": 1}', "invalid_metadata", ["metadata"]),
        (b'{"metadata": {"a": ' + b"[" * 65 + b"]" * 65 + b"}}", "invalid_metadata", ["metadata"]),
        (b'{"secrets": {"a b": "x"}}', "invalid_request", ["secrets"]),
        (b'{"secrets": {"a": ""}}', "invalid_request", ["secrets.a"]),
        (b'{"description": "kept out", "enabled": 1}', "invalid_request", ["enabled"]),
    ],
)
async def test_updates(untouched: Untouched, body: bytes, code: str, fields: list[str]) -> None:
    headers = {"content-type": "application/json"}
    status, found = await refused(untouched, "PATCH", SESSION, content=body, headers=headers)
    assert (status, found["error_code"], list(found["field_errors"])) == (400, code, fields)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/v2/agents/nobody", None, 404, "agent_not_found"),
        ("PATCH", "/v2/agents/nobody", {"name": "x"}, 404, "agent_not_found"),
        ("DELETE", "/v2/agents/nobody", None, 404, "agent_not_found"),
        ("GET", "/v2/agents/nobody/sessions", None, 404, "agent_not_found"),
        ("POST", "/v2/agents/nobody/sessions", {}, 404, "agent_not_found"),
        ("GET", "/v2/agents/nobody/sessions/x", None, 404, "agent_not_found"),
        ("PATCH", "/v2/agents/nobody/sessions/x", {}, 404, "agent_not_found"),
        ("DELETE", "/v2/agents/nobody/sessions/x", None, 404, "agent_not_found"),
        ("GET", "/v2/agents/nobody/sessions/x/events", None, 404, "agent_not_found"),
        ("GET", f"{SESSIONS}/x", None, 404, "session_not_found"),
        ("PATCH", f"{SESSIONS}/x", {"name": "x"}, 404, "session_not_found"),
        ("DELETE", f"{SESSIONS}/x", None, 404, "session_not_found"),
        ("GET", f"{SESSIONS}/x/events", None, 404, "session_not_found"),
        ("POST", f"{SESSIONS}/x/events", {"messages": [{"content": "x"}]}, 404, "session_not_found"),
        ("PATCH", f"{SESSIONS}/sess%20ion%3Fx", {"name": "x"}, 404, "session_not_found"),
        ("PATCH", f"{SESSIONS}/'%20OR%20'1'='1", {"name": "x"}, 404, "session_not_found"),
        ("GET", f"{EVENTS}/aev_none", None, 404, "event_not_found"),
        ("DELETE", f"{EVENTS}/aev_none", None, 404, "event_not_found"),
        ("POST", f"{EVENTS}/aev_none/hide", None, 404, "event_not_found"),
        ("POST", f"{EVENTS}/msg_1/unhide", None, 404, "event_not_found"),
        ("GET", "/v2/nothing", None, 404, "invalid_request"),
        ("PUT", SESSION, {}, 405, "invalid_request"),
        ("POST", SESSION, {}, 405, "invalid_request"),
        ("POST", SESSIONS, {"key": "ase_customer_support_001"}, 400, "invalid_request"),
        ("POST", SESSIONS, {"key": "a b"}, 400, "invalid_request"),
        ("POST", SESSIONS, {"key": "x" * 51}, 400, "invalid_request"),
        ("POST", SESSIONS, {"key": 5}, 400, "invalid_request"),
        ("POST", SESSIONS, {"from_session": {"session_key": "x"}}, 400, "invalid_request"),
        ("POST", "/v2/agents", {}, 400, "invalid_request"),
        ("POST", "/v2/agents", {"name": "x", "key": "agt_customer_support"}, 400, "invalid_request"),
        ("POST", "/v2/agents", {"name": "x", "steps": "[]"}, 400, "invalid_request"),
        ("POST", EVENTS, {"type": "interrupt"}, 400, "invalid_request"),
        ("POST", EVENTS, {"messages": []}, 400, "invalid_request"),
        ("POST", EVENTS, {"messages": [{"type": "skill", "skill_name": "x"}]}, 400, "invalid_request"),
        ("POST", EVENTS, {"messages": [{"content": ""}]}, 400, "invalid_request"),
        ("POST", EVENTS, {"messages": [{"content": "x"}], "stream_response": True}, 400, "invalid_request"),
        ("POST", EVENTS, {"type": "agent_output"}, 400, "invalid_request"),
        ("GET", f"{SESSIONS}?limit=0", None, 400, "invalid_request"),
        ("GET", f"{SESSIONS}?limit=101", None, 400, "invalid_request"),
        ("GET", f"{SESSIONS}?page_key=x", None, 400, "invalid_request"),
        ("GET", f"{SESSIONS}?page_key={encode_cursor('sessions', [2**63])}", None, 400, "invalid_request"),
        ("GET", f"{SESSIONS}?filter=(", None, 400, "invalid_request"),
        ("GET", f"{SESSIONS}?filter=(?=x)", None, 400, "invalid_request"),
        ("GET", f"{SESSIONS}?filter={'x' * 1001}", None, 400, "invalid_request"),
        ("GET", f"{SESSIONS}?metadata_filter=priority", None, 400, "invalid_request"),
        ("GET", f"{SESSIONS}?metadata_filter=a='b'%20or%201=1", None, 400, "invalid_request"),
        ("GET", f"{SESSIONS}?enabled=yes", None, 400, "invalid_request"),
        ("GET", f"{EVENTS}?include_hidden=1", None, 400, "invalid_request"),
    ],
)
async def test_requests(untouched: Untouched, method: str, path: str, body: Any, status: int, code: str) -> None:
    request = {} if body is None else {"json": body}
    assert (lambda found: (found[0], found[1]["error_code"]))(await refused(untouched, method, path, **request)) == (
        status,
        code,
    )


async def test_an_agent_with_sessions_stays(untouched: Untouched) -> None:
    status, body = await refused(untouched, "DELETE", AGENT)
    assert (status, body["error_code"], body["field_errors"]) == (400, "invalid_request", {})


async def test_what_is_not_there_is_named(untouched: Untouched) -> None:
    _, body = await refused(untouched, "GET", f"{SESSIONS}/k-9")
    assert body == {
        "id": "k-9",
        "messages": ["There is no session with these keys."],
        "request_id": "known",
        "error_code": "session_not_found",
    }
    _, body = await refused(untouched, "PATCH", "/v2/agents/k-8/sessions/k-9", json={})
    assert (body["id"], body["error_code"]) == ("k-8", "agent_not_found")


async def test_an_event_of_another_session_is_not_there(client: httpx2.AsyncClient, house: House) -> None:
    await client.post(SESSIONS, json={"key": "other"})
    posted = await client.post(f"{SESSIONS}/other/events", json={"messages": [{"content": "x"}]})
    key = posted.json()["events"][0]["id"]
    untouched = await watched(house, client)
    for method, more in (("GET", ""), ("DELETE", ""), ("POST", "/hide"), ("POST", "/unhide")):
        _, found = await refused(untouched, method, f"{EVENTS}/{key}{more}")
        assert found["error_code"] == "event_not_found"
    for name in ("cy", "dee"):
        for method, more in (("DELETE", ""), ("POST", "/hide"), ("POST", "/unhide")):
            path = f"{SESSIONS}/other/events/{key}{more}"
            status, found = await refused(untouched, method, path, headers={"x-api-key": name})
            assert (status, found["error_code"]) == (403, "forbidden")


async def test_a_disabled_session_takes_no_messages(client: httpx2.AsyncClient, house: House) -> None:
    assert (await client.patch(SESSION, json={"enabled": False})).json()["enabled"] is False
    untouched = await watched(house, client)
    for body in ({"messages": [{"content": "x"}]}, {"type": "agent_output", "content": "x"}):
        status, found = await refused(untouched, "POST", EVENTS, json=body)
        assert (status, found["error_code"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("headers", "method", "path", "status", "code"),
    [
        ({"x-api-key": ""}, "PATCH", SESSION, 401, "unauthorized"),
        ({"x-api-key": "nobody"}, "PATCH", SESSION, 401, "unauthorized"),
        ({"x-api-key": "", "authorization": "Basic Ym86Ym8="}, "GET", SESSION, 401, "unauthorized"),
        ({"x-api-key": "", "authorization": "Token bo"}, "GET", SESSION, 401, "unauthorized"),
        ({"x-api-key": "cy"}, "PATCH", SESSION, 403, "forbidden"),
        ({"x-api-key": "cy"}, "DELETE", SESSION, 403, "forbidden"),
        ({"x-api-key": "cy"}, "POST", SESSIONS, 403, "forbidden"),
        ({"x-api-key": "cy"}, "POST", "/v2/agents", 403, "forbidden"),
        ({"x-api-key": "cy"}, "POST", EVENTS, 403, "forbidden"),
        ({"x-api-key": "dee"}, "GET", SESSION, 403, "forbidden"),
        ({"x-api-key": "dee"}, "GET", "/v2/agents", 403, "forbidden"),
        ({"x-api-key": "dee"}, "GET", AGENT, 403, "forbidden"),
    ],
)
async def test_credentials_and_permissions(
    untouched: Untouched, headers: dict[str, str], method: str, path: str, status: int, code: str
) -> None:
    request: dict[str, Any] = {"headers": headers}
    if method in ("PATCH", "POST"):
        request["json"] = {"name": "x", "messages": [{"content": "x"}]}
    found = await refused(untouched, method, path, **request)
    assert (found[0], found[1]["error_code"]) == (status, code)


async def test_the_rate_limit(database_url: str, clock: Any) -> None:
    async with housed(database_url, clock, rate_limit=1) as house, house.client(x_request_id="known") as client:
        assert (await client.get("/v2/agents")).status_code == 200
        response = await client.get("/v2/agents")
        assert (response.status_code, response.json()["error_code"]) == (429, "rate_limit_exceeded")
        assert 1 <= int(response.headers["retry-after"]) <= 60
