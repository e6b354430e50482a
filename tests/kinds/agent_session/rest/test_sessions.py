from typing import Any

import httpx2
import pytest

from tests.conftest import ManualClock
from tests.kinds.agent_session.rest.conftest import SESSION, SESSIONS
from tests.kinds.rest import House

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]


async def keys(client: httpx2.AsyncClient, query: str = "", path: str = SESSIONS) -> list[str]:
    """The keys of all pages of a list."""
    found, page_key = [], ""
    while True:
        response = await client.get(f"{path}?{query}&page_key={page_key}" if page_key else f"{path}?{query}")
        assert response.status_code == 200, response.text
        body = response.json()
        found += [each["key"] for each in body["sessions"]]
        page_key = body["metadata"].get("page_key", "")
        if not page_key:
            return found


async def test_a_session_is_made_read_and_deleted(client: httpx2.AsyncClient, clock: ManualClock) -> None:
    clock.advance(0.5)
    given = {
        "key": "k-1_A",
        "name": "N",
        "description": "D",
        "metadata": {"z": 1.50, "a": None},
        "enabled": False,
        "tti_minutes": 60,
        "secrets": {"token": "hidden"},
        "unknown": 1,
    }
    response = await client.post(SESSIONS, json=given)
    made = {
        "id": "k-1_A",
        "key": "k-1_A",
        "agent_key": "agt_customer_support",
        "name": "N",
        "description": "D",
        "metadata": {"z": 1.5, "a": None},
        "current_step_name": None,
        "enabled": False,
        "tti_minutes": 60,
        "status": "unstarted",
        "secrets": {"token": "****"},
        "created_at": "2026-01-05T09:00:00.500000Z",
    }
    assert (response.status_code, response.json()) == (201, made)
    assert (await client.get(f"{SESSIONS}/k-1_A")).json() == made
    response = await client.delete(f"{SESSIONS}/k-1_A")
    assert (response.status_code, response.content) == (204, b"")
    assert (await client.get(f"{SESSIONS}/k-1_A")).status_code == 404
    bare = await client.post(SESSIONS)
    assert (bare.status_code, bare.json()["key"], bare.json()["name"]) == (201, "ase_1", "ase_1")


async def test_metadata_comes_back_as_it_was_written(client: httpx2.AsyncClient) -> None:
    text = '{"z":1.10,"a":1E3,"big":12345678901234567890,"neg":-0,"ö":"\\u00fc","list":[1.0,{}]}'
    body = f'{{"metadata": {text}}}'.encode()
    headers = {"content-type": "application/json"}
    response = await client.patch(SESSION, content=body, headers=headers)
    assert text.replace("\\u00fc", "ü") in response.text
    assert (await client.get(SESSION)).content == response.content


@pytest.mark.parametrize("name", ["absent", "value", "null"])
@pytest.mark.parametrize(
    ("field", "value", "cleared"),
    [
        ("name", "N", 400),
        ("description", "D", None),
        ("metadata", {"a": 1}, {}),
        ("enabled", False, 400),
        ("tti_minutes", 5, 400),
    ],
)
async def test_absent_null_and_value(
    client: httpx2.AsyncClient, house: House, field: str, value: Any, cleared: Any, name: str
) -> None:
    before = (await client.get(SESSION)).json()
    events = await house.told()
    given = {"absent": {}, "value": {field: value}, "null": {field: None}}[name]
    response = await client.patch(SESSION, json=given)
    if name == "null" and cleared == 400:
        assert (response.status_code, response.json()["error_code"]) == (400, "invalid_request")
        assert list(response.json()["field_errors"]) == [field]
    else:
        expected = {"absent": before[field], "value": value, "null": cleared}[name]
        assert (response.status_code, response.json()) == (200, before | {field: expected})
    if response.status_code == 400 or name == "absent":
        assert (await client.get(SESSION)).json() == before
        assert await house.told() == events


async def test_lists_are_paged(client: httpx2.AsyncClient) -> None:
    for number in range(24):
        await client.post(SESSIONS, json={"key": f"k{number}", "enabled": number % 2 == 0})
    everything = [*(f"k{number}" for number in reversed(range(24))), "ase_customer_support_001"]
    first = (await client.get(SESSIONS)).json()
    assert [each["key"] for each in first["sessions"]] == everything[:10]
    assert list(first["metadata"]) == ["page_key"]
    for limit in (1, 5, 25, 100):
        assert await keys(client, f"limit={limit}") == everything
    assert await keys(client, "enabled=false&limit=7") == [f"k{number}" for number in range(23, 0, -2)]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("filter=sup.%2A", ["c"]),
        ("filter=(?i)^order", ["a"]),
        ("filter=angry|sup", ["c", "b"]),
        ("filter=(a%2B)%2B%24", ["d"]),
        ("filter=nothing", []),
        ("metadata_filter=priority='urgent'", ["b"]),
        ("metadata_filter=metadata.priority%20=%20'urgent'%20and%20level%20%3E=%202", ["b"]),
        ("metadata_filter=level%20%3C%202.5", ["b"]),
        ("metadata_filter=open=true", ["c"]),
        ("metadata_filter=open!=true%20AND%20priority!='urgent'", ["d", "a", "ase_customer_support_001"]),
        ("metadata_filter=%7B%22priority%22:%22urgent%22,%22level%22:2%7D", ["b"]),
        ("metadata_filter=name='O''Hara'", ["a"]),
        ("filter=angry&metadata_filter=open=true", []),
    ],
)
async def test_filters(client: httpx2.AsyncClient, query: str, found: list[str]) -> None:
    for given in (
        {"key": "a", "name": "Order 4711", "metadata": {"name": "O'Hara"}},
        {"key": "b", "name": "B", "description": "very angry", "metadata": {"priority": "urgent", "level": 2}},
        {"key": "c", "name": "customer support", "metadata": {"open": True, "level": "2"}},
        {"key": "d", "name": "a" * 200},
    ):
        assert (await client.post(SESSIONS, json=given)).status_code == 201
    for limit in (1, 100):
        assert await keys(client, f"{query}&limit={limit}") == found


async def test_events(client: httpx2.AsyncClient, clock: ManualClock, house: House) -> None:
    path = f"{SESSION}/events"
    assert (await client.get(path)).json() == {"events": [], "metadata": {}}
    said = {"type": "input_message", "messages": [{"type": "text", "content": "Hi"}, {"content": "there"}]}
    response = await client.post(path, json=said)
    first = {
        "id": "aev_00000000-0000-7000-8000-000000000001",
        "session_key": "ase_customer_support_001",
        "type": "input_message",
        "messages": [{"type": "text", "content": "Hi"}, {"type": "text", "content": "there"}],
        "created_at": "2026-01-05T09:00:00Z",
    }
    assert (response.status_code, response.json()) == (
        201,
        {"events": [first], "session_key": "ase_customer_support_001"},
    )
    assert (await client.get(SESSION)).json()["status"] == "running"
    clock.advance(1)
    answered = await client.post(path, json={"type": "agent_output", "content": "Hello"})
    assert answered.status_code == 201
    second = {
        "id": "aev_00000000-0000-7000-8000-000000000002",
        "session_key": "ase_customer_support_001",
        "type": "agent_output",
        "content": "Hello",
        "created_at": "2026-01-05T09:00:01Z",
    }
    assert (await client.get(f"{path}/{second['id']}")).json() == second
    assert (await client.get(path)).json() == {"events": [first, second], "metadata": {}}
    page = (await client.get(f"{path}?limit=1")).json()
    assert page["events"] == [first]
    rest = await client.get(f"{path}?limit=1&page_key={page['metadata']['page_key']}")
    assert rest.json() == {"events": [second], "metadata": {}}
    topics = [topic for topic, _, _ in await house.told()][-2:]
    assert topics == ["agent_session.message_received", "agent_session.message_sent"]


async def test_events_are_hidden_and_deleted(client: httpx2.AsyncClient, house: House) -> None:
    path = f"{SESSION}/events"
    for content in ("One", "Two"):
        await client.post(path, json={"messages": [{"content": content}]})
    first, second = (await client.get(path)).json()["events"]
    one = f"{path}/{first['id']}"
    told = len(await house.told())
    for _ in range(2):
        hidden = await client.post(f"{one}/hide")
        assert (hidden.status_code, hidden.json()) == (200, first)
        assert (await client.get(path)).json()["events"] == [second]
        assert (await client.get(f"{path}?include_hidden=true")).json()["events"] == [first, second]
    query = '{ interaction(id: "ags_1") { messages { nodes { text hidden } } } }'
    async with house.client() as graph:
        found = (await graph.post("/graphql", json={"query": query})).json()["data"]["interaction"]["messages"]
    assert sorted((each["text"], each["hidden"]) for each in found["nodes"]) == [("One", True), ("Two", None)]
    assert (await client.post(f"{one}/unhide")).json() == first
    assert (await client.get(path)).json()["events"] == [first, second]
    deleted = await client.delete(one)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await client.get(path)).json()["events"] == [second]
    assert (await client.delete(one)).json()["error_code"] == "event_not_found"
    assert [topic for topic, _, _ in await house.told(told)] == [
        *("agent_session.message_hidden", "agent_session.message_shown", "agent_session.message_deleted"),
    ]


async def test_a_repeat_under_an_idempotency_key_writes_once(client: httpx2.AsyncClient) -> None:
    headers = {"idempotency-key": "k"}
    said = {"type": "input_message", "messages": [{"content": "Hi"}]}
    for path, body in ((SESSIONS, {"name": "Once"}), (f"{SESSION}/events", said), ("/v2/agents", {"name": "A"})):
        headers["idempotency-key"] = path
        first = await client.post(path, json=body, headers=headers)
        again = await client.post(path, json=body, headers=headers)
        assert (first.status_code, first.content) == (201, again.content)
        other = await client.post(
            path, json={**body, "type": "agent_output", "name": "X", "content": "Y"}, headers=headers
        )
        assert (other.status_code, other.json()["error_code"]) == (400, "invalid_request")
