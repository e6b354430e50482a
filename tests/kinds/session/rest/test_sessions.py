from typing import Any

import httpx2
import pytest

from tests.conftest import ManualClock
from tests.kinds.rest import House
from tests.kinds.session.rest.conftest import CUSTOMER

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

SESSIONS = f"/v1/customers/{CUSTOMER}/sessions"
CURRENT = f"{SESSIONS}/current"
FIRST = "00000000-0000-7000-8000-000000000001"


async def say(client: httpx2.AsyncClient, content: str, **more: Any) -> dict[str, Any]:
    response = await client.post(f"{CURRENT}/messages", json={"content": content, "content_type": "text", **more})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def test_a_message_opens_a_session(client: httpx2.AsyncClient, house: House, clock: ManualClock) -> None:
    assert (await client.get(CURRENT)).status_code == 404
    message = await say(client, "Hello", sender_role="end-user", sent_at="2026-01-05T08:59:58.1239Z")
    assert message == {
        "id": "00000000-0000-7000-8000-000000000002",
        "session_id": FIRST,
        "content": "Hello",
        "content_type": "text",
        "sender_role": "end-user",
        "sent_at": "2026-01-05T08:59:58.123Z",
        "created_at": "2026-01-05T09:00:00.000Z",
        "delivered_at": "2026-01-05T09:00:00.000Z",
        "updated_at": "2026-01-05T09:00:00.000Z",
    }
    clock.advance(1)
    for role, shown in (("agent", "agent"), ("bot", "bot"), ("init", "bot")):
        assert (await say(client, role, sender_role=role))["sender_role"] == shown
    session = (await client.get(CURRENT)).json()
    assert [each["content"] for each in session["messages"]] == ["Hello", "agent", "bot", "init"]
    assert list(session["messages"][0]) == [
        *("id", "session_id", "content", "content_type", "sender_role", "sent_at", "created_at")
    ]
    assert (session["id"], session["tags"], session["suggested_messages"]) == (FIRST, [], [])
    topics = [topic for topic, _, actor in await house.told() if actor == 2]
    assert topics == [
        *("session.created", "session.message_received", "session.message_sent", "session.message_sent"),
        "session.message_sent",
    ]


async def test_keys_are_taken_in_capitals_and_answered_in_small_letters(
    client: httpx2.AsyncClient, clock: ManualClock
) -> None:
    for _ in range(9):
        await say(client, "one of the keys before that with a letter")
    clock.advance(7200)
    key = (await say(client, "Hello"))["session_id"]
    assert key == f"{FIRST[:-1]}b"
    named = f"{SESSIONS}/{key.upper()}"
    flagged = await client.patch(named, json={"suggested_messages": [{"content": "Hi"}]})
    assert (flagged.json()["id"], (await client.get(named)).json()["id"]) == (key, key)
    suggestion = flagged.json()["suggested_messages"][0]["id"]
    assert suggestion == f"{FIRST[:-1]}d"
    used = await client.patch(f"/v1/suggested_messages/{suggestion.upper()}")
    assert used.json()["id"] == suggestion
    for spelled in (f"{{{key}}}", key.replace("-", ""), f"urn:uuid:{key}"):
        assert (await client.get(f"{SESSIONS}/{spelled}")).status_code == 404


async def test_lists_are_newest_first_and_paged(client: httpx2.AsyncClient, clock: ManualClock) -> None:
    keys = []
    for _ in range(3):
        keys.append((await say(client, "again"))["session_id"])
        clock.advance(7200)
    assert len(set(keys)) == 3
    found = (await client.get(SESSIONS)).json()
    assert [each["id"] for each in found] == keys[::-1]
    assert [each["content"] for each in found[0]["messages"]] == ["again"]
    page = await client.get(SESSIONS, params={"limit": "1", "offset": "1"})
    assert [each["id"] for each in page.json()] == [keys[1]]
    assert (await client.get(SESSIONS, params={"offset": "3"})).json() == []
    assert (await client.get(CURRENT)).status_code == 404
    old = await client.get(f"{SESSIONS}/{keys[0]}")
    assert (old.status_code, old.json()["id"]) == (200, keys[0])


async def test_messages_are_newest_first_and_paged(client: httpx2.AsyncClient, clock: ManualClock) -> None:
    for text in ("one", "two", "three"):
        await say(client, text)
        clock.advance(1)
    for key in ("current", FIRST):
        found = (await client.get(f"{SESSIONS}/{key}/messages")).json()
        assert [each["content"] for each in found] == ["three", "two", "one"]
    page = await client.get(f"{CURRENT}/messages", params={"limit": "1", "offset": "2"})
    assert [each["content"] for each in page.json()] == ["one"]
    assert list(page.json()[0])[-3:] == ["delivered_at", "created_at", "updated_at"]


async def test_a_session_shows_more_messages_than_a_page_of_the_graph(client: httpx2.AsyncClient) -> None:
    for number in range(120):
        await say(client, str(number))
    session = (await client.get(CURRENT)).json()
    assert [each["content"] for each in session["messages"]] == [str(number) for number in range(120)]


async def test_absent_stays_null_and_empty_clear(client: httpx2.AsyncClient) -> None:
    await say(client, "Hi")
    full = {
        "need_attention": True,
        "tags": ["a", "b", "a"],
        "topics": ["t"],
        "suggested_messages": [{"id": "r1", "content": "A"}, {"content": "B", "content_type": "text"}],
    }
    first = (await client.patch(CURRENT, json=full)).json()
    assert (first["need_attention"], first["tags"], first["topics"]) == (True, ["a", "b"], ["t"])
    assert [(each["remote_id"], each["content"]) for each in first["suggested_messages"]] == [("r1", "A"), (None, "B")]
    assert (await client.patch(CURRENT, json={})).json() == first
    assert (await client.patch(f"{SESSIONS}/{FIRST}", json={"unknown": [1]})).json() == first
    cleared = (await client.patch(CURRENT, json={"tags": None, "topics": [], "suggested_messages": None})).json()
    assert (cleared["need_attention"], cleared["tags"], cleared["topics"]) == (True, [], [])
    assert cleared["suggested_messages"] == []
    kept = (await client.patch(CURRENT, json={"need_attention": False})).json()
    assert kept["need_attention"] is False


async def test_a_suggestion_counts_each_pick(client: httpx2.AsyncClient) -> None:
    await say(client, "Hi")
    body = {"suggested_messages": [{"id": "r1", "content": "A"}]}
    (suggested,) = (await client.patch(CURRENT, json=body)).json()["suggested_messages"]
    for count in (1, 2):
        response = await client.patch(f"/v1/suggested_messages/{suggested['id']}")
        assert (response.status_code, response.json()) == (200, suggested | {"selected_count": count})


async def test_a_repeat_under_an_idempotency_key_writes_once(client: httpx2.AsyncClient, clock: ManualClock) -> None:
    answers = []
    for _ in range(2):
        response = await client.post(f"{CURRENT}/messages", json={"content": "Once"}, headers={"idempotency-key": "k1"})
        answers.append((response.status_code, response.json()))
        clock.advance(7200)
    assert answers[0] == answers[1]
    assert len((await client.get(SESSIONS)).json()) == 1
    response = await client.post(f"{CURRENT}/messages", json={"content": "Other"}, headers={"idempotency-key": "k1"})
    assert (response.status_code, response.json()["error"]["type"]) == (409, "conflict")


async def test_the_flag_is_attention_in_the_graph(client: httpx2.AsyncClient) -> None:
    await say(client, "Hi")
    await client.patch(CURRENT, json={"need_attention": True})
    document = '{ interaction(id: "ses_1") { botActive attention { reason level } } }'
    found = (await client.post("/graphql", json={"query": document})).json()
    attention = {"reason": "FLAGGED", "level": "HIGH"}
    assert found == {"data": {"interaction": {"botActive": False, "attention": attention}}}
