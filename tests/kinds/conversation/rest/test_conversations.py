"""Lists and changes of conversations through the contract."""

from typing import Any

import httpx2
import pytest

from tests.conftest import ManualClock
from tests.kinds.conversation.conftest import Desk
from tests.kinds.conversation.rest.conftest import BASE, ONE, hear
from tests.kinds.rest import House

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

LIST = f"{BASE}/conversations"
KEYS = [
    *("id", "created_at", "channel", "status", "snooze_until", "agent", "customer", "latest_message"),
    *("latest_customer_message", "last_customer_reply_from", "latest_note", "unread_customer_messages_count"),
    *("reply_until", "reply_possible", "customer_interaction_required"),
]


async def test_a_conversation_comes_in_an_envelope(opened: httpx2.AsyncClient) -> None:
    body = (await opened.get(ONE)).json()
    assert list(body) == ["data"]
    found = body["data"]
    assert list(found) == KEYS
    assert (found["id"], found["channel"], found["status"]) == (1, "whatsapp", "to-do")
    assert (found["created_at"], found["reply_until"]) == ("2026-01-05T09:00:00Z", "2026-01-06T09:00:00Z")
    assert found["latest_message"] == found["latest_customer_message"]
    assert found["agent"]["unread_conversations_count"] == found["unread_customer_messages_count"] == 1
    # Bo may not read the directory: what is not for it is left out, as nothing of a customer is nullable.
    assert found["customer"] == {"id": 1, "channel": "whatsapp", "name": "Ana"}


async def test_an_update_is_bare_and_leaves_what_it_does_not_name(opened: httpx2.AsyncClient, house: House) -> None:
    before = (await opened.get(ONE)).json()["data"]
    done = len(await house.told())
    assert (await opened.patch(ONE, json={})).json() == before
    assert (await opened.patch(ONE, json={"snooze_until": None, "id": 7, "nothing": [1]})).json() == before
    assert len(await house.told()) == done
    body = (await opened.patch(ONE, json={"status": "in-progress"})).json()
    assert (body["status"], "user" in body) == ("in-progress", False)
    body = (await opened.patch(ONE, json={"user_id": 2})).json()
    assert body["user"] == {
        "id": 2,
        "name": "Bo",
        "email": None,
        "created_at": "2026-01-05T09:00:00Z",
        "updated_at": "2026-01-05T09:00:00Z",
    }
    assert (body["status"], list(body)[6:8]) == ("in-progress", ["customer", "user"])
    body = (await opened.patch(ONE, json={"status": "done", "user_id": None})).json()
    assert (body["status"], list(body)) == ("done", KEYS)
    told = [(topic, actor) for topic, _, actor in await house.told(done) if topic.startswith("conversation.")]
    assert told == [("conversation.updated", 2)] * 3


async def test_an_update_is_seen_in_the_graph(opened: httpx2.AsyncClient) -> None:
    await opened.patch(ONE, json={"status": "in-progress", "user_id": 3})
    query = "{ conversation(conversationId: 1) { status user { name } attention { reason level } } }"
    async with httpx2.AsyncClient(transport=opened._transport, base_url="http://test") as graph:
        answer = await graph.post("/graphql", json={"query": query}, headers={"authorization": "Bearer bo"})
    assert answer.json()["data"]["conversation"] == {
        "status": "IN_PROGRESS",
        "user": {"name": "Cy"},
        "attention": {"reason": "CUSTOMER_WAITING", "level": "NORMAL"},
    }


async def test_somebody_elses_conversation_is_not_taken_away(opened: httpx2.AsyncClient) -> None:
    await opened.patch(ONE, json={"user_id": 3})
    response = await opened.patch(ONE, json={"status": "done", "user_id": 2})
    assert (response.status_code, response.json()) == (409, {"message": "Cy holds this."})
    assert (await opened.get(ONE)).json()["data"]["status"] == "to-do"
    forced = await opened.patch(ONE, json={"user_id": 2}, headers={"authorization": "Bearer ada"})
    assert forced.json()["user"]["name"] == "Bo"


async def test_reading_marks_every_message(opened: httpx2.AsyncClient) -> None:
    for body in ({"mark_external": True}, {}):
        response = await opened.post(f"{ONE}/mark-read", json=body)
        found = response.json()["data"]
        assert (found["unread_customer_messages_count"], found["latest_message"]["status"]) == (0, "read")
    assert (await opened.post(f"{ONE}/mark-read")).json() == response.json()


async def test_a_restart_writes_to_the_customer(opened: httpx2.AsyncClient, house: House, clock: ManualClock) -> None:
    early = await opened.post(f"{ONE}/restart")
    assert early.status_code == 409
    clock.advance(86_400)
    expired = (await opened.get(ONE)).json()["data"]
    assert (expired["reply_until"], expired["reply_possible"]) == ("2026-01-06T09:00:00Z", False)
    for _ in range(2):
        repeated = await opened.post(f"{ONE}/restart", headers={"idempotency-key": "once"})
    message = repeated.json()["data"]
    assert (message["id"], message["from"], message["status"]) == (2, "agent", "created")
    found = (await opened.get(ONE)).json()["data"]
    assert (found["reply_until"], found["customer_interaction_required"]) == ("2026-01-07T09:00:00Z", True)
    assert (found["reply_possible"], found["latest_message"]["id"]) == (False, 2)
    assert [topic for topic, _, _ in await house.told()].count("conversation.restarted") == 1


async def test_only_whatsapp_is_restarted(client: httpx2.AsyncClient, house: House, desk: Desk) -> None:
    await house.database.command(hear, desk.wim, desk.widget, "Hi")
    response = await client.post(f"{ONE}/restart")
    assert (response.status_code, response.json()) == (
        422,
        {"message": "Only a conversation on WhatsApp can be restarted."},
    )
    found = (await client.get(ONE)).json()["data"]
    assert (found["channel"], found["reply_until"], found["reply_possible"]) == ("widget", None, True)


async def test_what_is_deleted_is_gone(opened: httpx2.AsyncClient, house: House) -> None:
    response = await opened.delete(ONE)
    assert (response.status_code, response.content) == (204, b"")
    for path in (ONE, f"{ONE}/messages", f"{ONE}/messages/1", f"{BASE}/conversation/1/notes"):
        assert (await opened.get(path)).status_code == 404
    assert (await opened.delete(ONE)).status_code == 404
    assert (await opened.get(LIST)).json()["meta"]["total"] == 0
    assert [topic for topic, _, _ in await house.told()][-2:] == ["conversation.deleted", "attention.cleared"]


async def test_lists_are_paged(client: httpx2.AsyncClient, house: House, desk: Desk, clock: ManualClock) -> None:
    for customer, agent in ((desk.ana, desk.whatsapp), (desk.wim, desk.widget), (desk.bea, desk.bridge)):
        await house.database.command(hear, customer, agent, "Hi")
        clock.advance(1)

    async def page(**query: Any) -> Any:
        return (await client.get(LIST, params=query)).json()

    whole = await page()
    assert [each["id"] for each in whole["data"]] == [3, 2, 1]
    url = f"http://test{LIST}"
    assert whole["links"] == {"first": f"{url}?page=1", "last": f"{url}?page=1", "prev": None, "next": None}
    second = await page(per_page=1, page=2)
    assert [each["id"] for each in second["data"]] == [2]

    def of(number: int) -> str:
        return f"{url}?per_page=1&page={number}"

    assert second["links"] == {"first": of(1), "last": of(3), "prev": of(1), "next": of(3)}
    assert second["meta"] == {
        "current_page": 2,
        "from": 2,
        "to": 2,
        "last_page": 3,
        "per_page": 1,
        "total": 3,
        "path": url,
        "links": [
            {"url": of(1), "label": "&laquo; Previous", "active": False},
            {"url": of(1), "label": "1", "active": False},
            {"url": of(2), "label": "2", "active": True},
            {"url": of(3), "label": "3", "active": False},
            {"url": of(3), "label": "Next &raquo;", "active": False},
        ],
    }
    beyond = await page(page=2**31 - 1, per_page=500)
    assert (beyond["data"], beyond["meta"]["from"], beyond["meta"]["to"]) == ([], None, None)
    assert (await client.get(second["links"]["next"])).json()["data"][0]["id"] == 1


async def test_an_empty_list(client: httpx2.AsyncClient) -> None:
    body = (await client.get(LIST)).json()
    assert (body["data"], body["meta"]["last_page"], body["meta"]["total"]) == ([], 1, 0)
    assert (body["meta"]["from"], body["meta"]["to"]) == (None, None)
