"""Messages through the contract: every content, reactions, errors."""

from typing import Any

import httpx2
import pytest

from tests.conftest import ManualClock
from tests.kinds.conversation.conftest import Desk
from tests.kinds.conversation.rest.conftest import ONE, hear
from tests.kinds.rest import House

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

MESSAGES = f"{ONE}/messages"
FILE = {"url": "https://files.example.com/1", "mime_type": "audio/ogg", "size": 12}
UUID = "00000000-0000-7000-8000-000000000002"
STORED = {
    "has_file": True,
    "uuid": UUID,
    "name": None,
    "mime_type": "audio/ogg",
    "size": 12,
    "public_download_url": "https://files.example.com/1",
}


async def sent(client: httpx2.AsyncClient, body: Any, **more: Any) -> Any:
    response = await client.post(MESSAGES, json=body, **more)
    assert response.status_code == 200, response.text
    assert list(response.json()) == ["data"]
    return response.json()["data"]


async def test_a_reply(opened: httpx2.AsyncClient, clock: ManualClock, house: House) -> None:
    clock.advance(1.5)
    found = await sent(opened, {"type": "text", "text": {"content": "It is on its way."}, "reference_id": 1})
    reference = found.pop("reference")
    assert found == {
        "id": 2,
        "conversation_id": 1,
        "from": "agent",
        "source": "user",
        "user_id": 2,
        "contents": [{"type": "text", "content": "It is on its way."}],
        "status": "created",
        "agent_reaction": None,
        "customer_reaction": None,
        "sent_at": "2026-01-05T09:00:01Z",
        "latest_error": None,
        "whatsapp_campaign": None,
    }
    assert (reference["id"], reference["from"], "reference" in reference) == (1, "customer", False)
    assert (await house.told())[-2][::2] == ("conversation.message_sent", 2)
    assert (await opened.get(ONE)).json()["data"]["latest_message"]["id"] == 2


@pytest.mark.parametrize(
    ("body", "content"),
    [
        ({"type": "image", "image": {"caption": "A"}, "file": FILE}, STORED | {"caption": "A"}),
        ({"type": "video", "file": FILE}, STORED | {"caption": None}),
        ({"type": "audio", "audio": {"voice": True}, "file": FILE}, STORED | {"voice": True}),
        (
            {"type": "document", "document": {"filename": "a.pdf"}, "file": FILE},
            STORED | {"filename": "a.pdf", "caption": None},
        ),
        (
            {"type": "image", "file": {"internal_uuid": "f1", "mime_type": "image/png", "other": 1}},
            {"has_file": True, "uuid": "f1", "name": None, "mime_type": "image/png", "caption": None},
        ),
        (
            {"type": "location", "location": {"latitude": "59.91", "longitude": "10.75", "name": "Oslo", "other": 1}},
            {"latitude": "59.91", "longitude": "10.75", "address": None, "name": "Oslo", "url": None},
        ),
        (
            {
                "type": "contact",
                "contact": {
                    "name": {"formatted_name": "Ana B", "first_name": "Ana", "other": 1},
                    "birthday": "1970-01-01T00:00:00.000Z",
                    "phones": [{"phone": "+47 1", "other": 1}],
                    "addresses": [{"city": "Oslo", "type": "HOME"}],
                    "org": {"company": "B"},
                },
            },
            {
                "name": {
                    "formatted_name": "Ana B",
                    "first_name": "Ana",
                    "middle_name": None,
                    "last_name": None,
                    "prefix": None,
                    "suffix": None,
                },
                "birthday": "1970-01-01",
                "phones": [{"phone": "+47 1"}],
                "emails": [],
                "addresses": [{"city": "Oslo", "type": "HOME"}],
                "org": {"company": "B"},
            },
        ),
        (
            {"type": "contact", "contact": {"name": {"formatted_name": "Ana"}, "birthday": "1970-01-01"}},
            {
                "name": {
                    "formatted_name": "Ana",
                    "first_name": None,
                    "middle_name": None,
                    "last_name": None,
                    "prefix": None,
                    "suffix": None,
                },
                "birthday": "1970-01-01",
                "phones": [],
                "emails": [],
                "addresses": [],
            },
        ),
    ],
)
async def test_contents(opened: httpx2.AsyncClient, body: dict[str, Any], content: dict[str, Any]) -> None:
    found = await sent(opened, body)
    assert found["contents"] == [{"type": body["type"], **content}]
    assert (await opened.get(f"{MESSAGES}/2")).json()["data"] == found


async def test_lists_are_newest_first_and_paged(
    opened: httpx2.AsyncClient, house: House, desk: Desk, clock: ManualClock
) -> None:
    for text in ("two", "three"):
        clock.advance(1)
        await sent(opened, {"type": "text", "text": {"content": text}})
    body = (await opened.get(MESSAGES)).json()
    assert [each["id"] for each in body["data"]] == [3, 2, 1]
    assert (body["meta"]["per_page"], body["meta"]["path"]) == (100, f"http://test{MESSAGES}")
    page = (await opened.get(MESSAGES, params={"per_page": 2, "page": 2})).json()
    assert ([each["id"] for each in page["data"]], page["meta"]["from"], page["meta"]["to"]) == ([1], 3, 3)


async def test_a_message_that_fails_shows_its_error(
    opened: httpx2.AsyncClient, house: House, desk: Desk, clock: ManualClock
) -> None:
    clock.advance(86_400)
    found = await sent(opened, {"type": "text", "text": {"content": "Late"}})
    error = {
        "id": 1,
        "message_id": 2,
        "type": "other",
        "original_message": "The reply window is closed.",
        "created_at": "2026-01-06T09:00:00Z",
    }
    assert (found["status"], found["latest_error"]) == ("error", error)
    assert (await opened.get(f"{MESSAGES}/2/errors/1")).json() == {"data": error}
    await house.database.command(hear, desk.wim, desk.widget, "Hi")
    for path in (f"{MESSAGES}/1/errors/1", f"{MESSAGES}/2/errors/2", f"{ONE[:-1]}2/messages/2/errors/1"):
        assert (await opened.get(path)).status_code == 404


async def test_reactions(opened: httpx2.AsyncClient) -> None:
    path = f"{MESSAGES}/1/set-reaction"
    for reaction in ("\U0001f44d", "\u2764\ufe0f", None, None):
        found = (await opened.post(path, json={"reaction": reaction})).json()["data"]
        assert (found["agent_reaction"], found["customer_reaction"]) == (reaction, None)


async def test_a_repeat_under_an_idempotency_key_writes_once(opened: httpx2.AsyncClient) -> None:
    body = {"type": "text", "text": {"content": "Once"}}
    first = await sent(opened, body, headers={"idempotency-key": "k"})
    assert await sent(opened, body, headers={"idempotency-key": "k"}) == first
    other = await opened.post(MESSAGES, json=body | {"reference_id": 1}, headers={"idempotency-key": "k"})
    assert other.status_code == 409
    assert (await opened.get(MESSAGES)).json()["meta"]["total"] == 2


async def test_messages_of_other_conversations_are_not_found(
    opened: httpx2.AsyncClient, house: House, desk: Desk
) -> None:
    await house.database.command(hear, desk.wim, desk.widget, "Hi")
    assert (await opened.get(f"{ONE[:-1]}2/messages/2")).status_code == 200
    assert (await opened.get(f"{MESSAGES}/2")).status_code == 404
    assert (await opened.post(f"{MESSAGES}/2/set-reaction", json={"reaction": None})).status_code == 404
    body = {"type": "text", "text": {"content": "x"}, "reference_id": 2}
    refused = await opened.post(MESSAGES, json=body)
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["reference_id"])
