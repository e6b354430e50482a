"""Bad input: bodies as Laravel writes them, and nothing changed."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import httpx2
import orjson
import pytest

from app.directory.service import link_customer
from tests.conftest import ManualClock
from tests.kinds.conftest import ADA as ADMIN
from tests.kinds.conversation.conftest import Desk, furnish
from tests.kinds.conversation.rest.conftest import BASE, ONE, as_client, hear
from tests.kinds.rest import House, Untouched, housed

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

MESSAGES = f"{ONE}/messages"
REACTION = f"{MESSAGES}/1/set-reaction"
NOTES = f"{BASE}/conversation/1/notes"
FILE = {"url": "https://files.example.com/1", "mime_type": "image/png"}
ADA = {"authorization": "Bearer ada"}


async def state(house: House, client: httpx2.AsyncClient) -> Any:
    """All that a request could have changed."""
    paths = (f"{BASE}/conversations", MESSAGES, NOTES)
    return await house.told(), [(await client.get(path, headers=ADA)).json() for path in paths]


@pytest.fixture(scope="module")
async def untouched(module_database_url: str) -> AsyncIterator[Untouched]:
    """Conversation 1 with message 1 and note 1."""
    async with housed(module_database_url, ManualClock()) as house, as_client(house) as client:
        desk = await house.database.command(furnish)
        await house.database.command(hear, desk.ana, desk.whatsapp, "Where is my parcel?")
        assert (await client.post(NOTES, json={"text": "Kept"})).status_code == 200
        yield await Untouched.by(client, partial(state, house, client))


async def refused(untouched: Untouched, method: str, path: str, **request: Any) -> Any:
    """What a request that must change nothing is answered: its status and the fields at fault."""
    response = await untouched.request(method, path, **request)
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    body = response.json()
    assert isinstance(body["message"], str)
    assert list(body) in (["message"], ["message", "errors"])
    errors = body.get("errors", {})
    assert all(said == [body["message"]] for said in errors.values())
    return response.status_code, list(errors)


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        (b"", 400, []),
        (b"{", 400, []),
        (b"[]", 400, []),
        (b"null", 400, []),
        (b'{"status": "\\u0000"}', 400, []),
        (b'{"status": "open"}', 422, ["status"]),
        (b'{"status": "IN_PROGRESS"}', 422, ["status"]),
        (b'{"status": null}', 422, ["status"]),
        (b'{"status": ["done"]}', 422, ["status"]),
        (b'{"user_id": "2"}', 422, ["user_id"]),
        (b'{"user_id": true}', 422, ["user_id"]),
        (b'{"user_id": 0}', 422, ["user_id"]),
        (b'{"user_id": 2.5}', 422, ["user_id"]),
        (b'{"user_id": 99999999999999999999}', 422, ["user_id"]),
        (b'{"user_id": 99}', 422, ["user_id"]),
        (b'{"user_id": 5}', 422, ["user_id"]),
        (b'{"status": "done", "user_id": 99}', 422, ["user_id"]),
    ],
)
async def test_updates(untouched: Untouched, body: bytes, status: int, fields: list[str]) -> None:
    headers = {"content-type": "application/json"}
    assert await refused(untouched, "PATCH", ONE, content=body, headers=headers) == (status, fields)


async def test_refusals_name_things_as_the_contract_does(untouched: Untouched) -> None:
    message = "There is no active user 99."
    response = await untouched.request("PATCH", ONE, json={"user_id": 99})
    assert response.json() == {"message": message, "errors": {"user_id": [message]}}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "type"),
        ({"type": 5}, "type"),
        ({"type": "poll", "poll": {}}, "type"),
        ({"type": "text"}, "text"),
        ({"type": "text", "text": "Hi"}, "text"),
        ({"type": "text", "text": {"content": None}}, "text.content"),
        ({"type": "text", "text": {"content": " "}}, "text.content"),
        ({"type": "text", "text": {"content": 5}}, "text.content"),
        ({"type": "text", "text": {"content": "x" * 65_537}}, "text.content"),
        ({"type": "image", "image": {"caption": "A"}}, "file"),
        ({"type": "image", "file": {}}, "file.internal_uuid"),
        ({"type": "image", "file": {"url": "https://files.example.com/1"}}, "file.mime_type"),
        ({"type": "image", "file": FILE | {"url": ""}}, "file.url"),
        ({"type": "image", "file": FILE | {"size": -1}}, "file.size"),
        ({"type": "image", "file": FILE, "image": {"caption": 5}}, "image.caption"),
        ({"type": "audio", "file": FILE, "audio": {"voice": "yes"}}, "audio.voice"),
        ({"type": "location", "location": {"latitude": "91", "longitude": "0"}}, "location.latitude"),
        ({"type": "location", "location": {"latitude": 59.9, "longitude": "0"}}, "location.latitude"),
        ({"type": "contact", "contact": {}}, "contact.name"),
        ({"type": "contact", "contact": {"name": "Ana"}}, "contact.name"),
        ({"type": "contact", "contact": {"name": {"formatted_name": "A"}, "phones": [1]}}, "contact.phones.0"),
        ({"type": "contact", "contact": {"name": {"formatted_name": "A"}, "birthday": "1.1.70"}}, "contact.birthday"),
        ({"type": "contact", "contact": {"name": {"formatted_name": "A"}, "birthday": 1970}}, "contact.birthday"),
        (
            {"type": "contact", "contact": {"name": {"formatted_name": "A"}, "birthday": "1970-02-30"}},
            "contact.birthday",
        ),
        ({"type": "text", "text": {"content": "x"}, "reference_id": 99}, "reference_id"),
        ({"type": "text", "text": {"content": "x"}, "reference_id": "1"}, "reference_id"),
        ({"type": "text", "text": {"content": "x"}, "reference_id": 2**63}, "reference_id"),
    ],
)
async def test_messages(untouched: Untouched, body: dict[str, Any], field: str) -> None:
    assert await refused(untouched, "POST", MESSAGES, json=body) == (422, [field])


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", REACTION, {}, "reaction"),
        ("POST", REACTION, {"reaction": ""}, "reaction"),
        ("POST", REACTION, {"reaction": "ok"}, "reaction"),
        ("POST", REACTION, {"reaction": "\U0001f44d\U0001f44d"}, "reaction"),
        ("POST", REACTION, {"reaction": 1}, "reaction"),
        ("POST", NOTES, {}, "text"),
        ("POST", NOTES, {"text": None}, "text"),
        ("POST", NOTES, {"text": " "}, "text"),
        ("POST", NOTES, {"text": "x" * 65_537}, "text"),
        ("PATCH", f"{NOTES}/1", {"text": 5}, "text"),
        ("PATCH", f"{NOTES}/1", {"text": ""}, "text"),
        ("POST", f"{ONE}/mark-read", {"mark_external": "yes"}, "mark_external"),
        ("GET", f"{BASE}/conversations?page=0", None, "page"),
        ("GET", f"{BASE}/conversations?per_page=501", None, "per_page"),
        ("GET", f"{MESSAGES}?per_page=ten", None, "per_page"),
        ("GET", f"{NOTES}?page=1;DROP", None, "page"),
    ],
)
async def test_other_content(untouched: Untouched, method: str, path: str, body: Any, field: str) -> None:
    request: dict[str, Any] = {} if body is None else {"json": body}
    assert await refused(untouched, method, path, **request) == (422, [field])


@pytest.mark.parametrize(
    "number", ["2", "0", "-1", "01", "x", "1.0", "2147483648", "9" * 40, "'%20OR%20'1'='1", "a%00b"]
)
async def test_unknown_keys(untouched: Untouched, number: str) -> None:
    for method, path, body in (
        ("GET", f"conversations/{number}", None),
        ("PATCH", f"conversations/{number}", {"status": "done"}),
        ("DELETE", f"conversations/{number}", None),
        ("POST", f"conversations/{number}/mark-read", {}),
        ("POST", f"conversations/{number}/restart", None),
        ("GET", f"conversations/{number}/messages", None),
        ("POST", f"conversations/{number}/messages", {"type": "text", "text": {"content": "x"}}),
        ("GET", f"conversations/1/messages/{number}", None),
        ("POST", f"conversations/1/messages/{number}/set-reaction", {"reaction": None}),
        ("GET", f"conversations/1/messages/1/errors/{number}", None),
        ("GET", f"conversation/{number}/notes", None),
        ("POST", f"conversation/{number}/notes", {"text": "x"}),
        ("PATCH", f"conversation/1/notes/{number}", {"text": "x"}),
        ("DELETE", f"conversation/1/notes/{number}", None),
    ):
        request: dict[str, Any] = {} if body is None else {"json": body}
        assert await refused(untouched, method, f"{BASE}/{path}", **request) == (404, [])
    if number != "2":
        for path in ("agents", "customers", "profiles"):
            assert await refused(untouched, "GET", f"{BASE}/{path}/{number}", headers=ADA) == (404, [])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", ONE, "DELETE, GET, HEAD, PATCH"),
        ("POST", f"{BASE}/conversations", "GET, HEAD"),
        ("GET", f"{ONE}/mark-read", "POST"),
        ("PATCH", f"{MESSAGES}/1", "GET, HEAD"),
        ("PUT", f"{NOTES}/1", "DELETE, GET, HEAD, PATCH"),
        ("DELETE", f"{BASE}/customers/1", "GET, HEAD"),
    ],
)
async def test_other_verbs(untouched: Untouched, method: str, path: str, allowed: str) -> None:
    response = await untouched.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allowed)
    assert response.json() == {"message": f"This path takes {allowed}."}


@pytest.mark.parametrize(
    ("authorization", "method", "path", "status"),
    [
        ("", "GET", ONE, 401),
        ("Bearer nobody", "PATCH", ONE, 401),
        ("Token bo", "GET", ONE, 401),
        ("Basic Ym86Ym8=", "GET", ONE, 401),
        ("Bearer bo\tada", "DELETE", ONE, 401),
        ("Bearer cy", "PATCH", ONE, 403),
        ("Bearer cy", "DELETE", ONE, 403),
        ("Bearer cy", "POST", f"{ONE}/mark-read", 403),
        ("Bearer cy", "POST", f"{ONE}/restart", 403),
        ("Bearer cy", "POST", MESSAGES, 403),
        ("Bearer cy", "POST", REACTION, 403),
        ("Bearer cy", "POST", NOTES, 403),
        ("Bearer cy", "PATCH", f"{NOTES}/1", 403),
        ("Bearer cy", "DELETE", f"{NOTES}/1", 403),
        ("Bearer dee", "GET", ONE, 403),
        ("Bearer dee", "GET", f"{BASE}/conversations", 403),
        ("Bearer dee", "GET", MESSAGES, 403),
        ("Bearer dee", "GET", f"{MESSAGES}/1", 403),
        ("Bearer dee", "GET", NOTES, 403),
        ("Bearer dee", "PATCH", ONE, 403),
        ("Bearer dee", "GET", f"{BASE}/agents", 403),
        ("Bearer dee", "GET", f"{BASE}/agents/1", 403),
        ("Bearer bo", "GET", f"{BASE}/customers", 403),
        ("Bearer bo", "GET", f"{BASE}/customers/1", 403),
        ("Bearer bo", "GET", f"{BASE}/customers/1/users", 403),
        ("Bearer bo", "GET", f"{BASE}/profiles/1", 403),
    ],
)
async def test_credentials_and_permissions(
    untouched: Untouched, authorization: str, method: str, path: str, status: int
) -> None:
    body: dict[str, Any] = {"status": "done", "type": "text", "text": {"content": "x"}, "reaction": None}
    content: dict[str, Any] = (
        {} if method in ("GET", "DELETE") else {"json": body | ({"text": "x"} if "notes" in path else {})}
    )
    headers = {"authorization": authorization}
    assert await refused(untouched, method, path, headers=headers, **content) == (status, [])
    if status == 401:
        response = await untouched.request(method, path, headers=headers, **content)
        assert response.json() == {"message": "Unauthenticated."}
        assert response.headers["www-authenticate"] == "Bearer"


async def test_a_blocked_profile_is_not_written_to(opened: httpx2.AsyncClient, house: House, desk: Desk) -> None:
    await house.database.command(link_customer, ADMIN, f"cus_{desk.ana}", f"prf_{desk.blocked_profile}")
    body = {"type": "text", "text": {"content": "x"}}
    untouched = await Untouched.by(opened, partial(state, house, opened))
    assert await refused(untouched, "POST", MESSAGES, json=body) == (422, [])


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"<a/>", {"content-type": "application/xml"}, 415),
        (b"status=done", {"content-type": "application/x-www-form-urlencoded"}, 415),
        (b'{"status": "d\xf6ne"}', {"content-type": "application/json"}, 400),
        (b"[" * 2_000, {"content-type": "application/json"}, 400),
        (b'{"status": "done", "x": "' + b"x" * 1_048_576 + b'"}', {"content-type": "application/json"}, 413),
    ],
)
async def test_bodies_that_are_none(untouched: Untouched, content: bytes, headers: dict[str, str], status: int) -> None:
    assert await refused(untouched, "PATCH", ONE, content=content, headers=headers) == (status, [])


async def test_nothing_can_be_injected(opened: httpx2.AsyncClient, house: House, desk: Desk) -> None:
    said = "x'; DROP TABLE message; --\r\nX-Evil: y"
    given = {"idempotency-key": "k'--", "x-request-id": "a b"}
    body = orjson.dumps({"type": "text", "text": {"content": said}})
    response = await opened.post(MESSAGES, content=body, headers={"content-type": "application/json", **given})
    assert response.json()["data"]["contents"] == [{"type": "text", "content": said}]
    assert "x-evil" not in response.headers
    assert response.headers["x-request-id"] != "a b"
    await house.database.command(hear, desk.ana, desk.whatsapp, "Still here")
    assert (await opened.get(MESSAGES)).json()["meta"]["total"] == 3


async def test_too_many_requests(database_url: str, clock: ManualClock) -> None:
    async with housed(database_url, clock, rate_limit=2) as house:
        await house.database.command(furnish)
        async with house.client() as client:
            answers = [await client.get(f"{BASE}/agents") for _ in range(3)]
            assert [each.status_code for each in answers] == [200, 200, 429]
            assert answers[2].json() == {"message": "Too Many Attempts."}
            assert int(answers[2].headers["retry-after"]) > 0
