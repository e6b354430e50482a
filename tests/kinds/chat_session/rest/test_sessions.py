import asyncio
from datetime import datetime
from typing import Any

import httpx2
import pytest

from app.core.ids import GlobalId
from tests.conftest import ManualClock
from tests.kinds.chat_session.conftest import Desk, messages, stored, topics
from tests.kinds.rest import House

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

BASE = "/api/v1/ChatSession"
CHAT = GlobalId("chs", 1)


async def make(client: httpx2.AsyncClient, desk: Desk, **given: Any) -> dict[str, Any]:
    response = await client.post(BASE, json={"TopicId": desk.sales, "CustomerName": "Ana", **given})
    assert response.status_code == 200
    found: dict[str, Any] = response.json()
    return found


async def test_a_new_chat(client: httpx2.AsyncClient, desk: Desk) -> None:
    body = {"topicId": desk.sales, "CUSTOMERNAME": "Ana", "Person": {"personid": 5, "FullName": "Ana A", "Kana": "x"}}
    found = (await client.post(BASE, json=body)).json()
    assert found["SessionKey"] not in (None, "", "********")
    shown = {name: found[name] for name in ("ChatSessionId", "TopicId", "CustomerName", "Status", "InitialQueuePos")}
    assert shown == {
        "ChatSessionId": 1,
        "TopicId": desk.sales,
        "CustomerName": "Ana",
        "Status": "InQueue",
        "InitialQueuePos": 1,
    }
    assert found["Person"] == {
        "PersonId": 5,
        "Firstname": None,
        "Lastname": None,
        "FullName": "Ana A",
        "Email": None,
        "ContactId": None,
    }
    assert found["WhenRequested"] == "2026-01-05T09:00:00.0000000+00:00"
    assert found["_Links"] == {"Self": "http://test/api/v1/ChatSession/1", "Archive": "http://test/api/v1/ChatSession"}
    read = (await client.get(f"{BASE}/1")).json()
    assert read == {**found, "SessionKey": "********"}


async def test_the_default_entity_makes_a_chat(client: httpx2.AsyncClient, desk: Desk) -> None:
    blank = (await client.get(f"{BASE}/default")).json()
    assert (blank["ChatSessionId"], blank["Status"], blank["WhenEnded"]) == (0, "Invalid", "0001-01-01T00:00:00")
    assert list(blank) == list((await client.post(BASE, json=blank | {"TopicId": desk.bot})).json())[:-1]
    assert (await client.get(f"{BASE}/1")).json()["ChatbotIsActive"] is True
    refused = await client.post(BASE, json=blank)
    assert (refused.status_code, refused.json()["Message"]) == (400, "A chat session needs its TopicId.")


async def test_a_new_chat_with_more_than_its_customer_says(client: httpx2.AsyncClient, desk: Desk) -> None:
    found = await make(client, desk, AlertLevel=2, Flags=1, Status="OfflineForm", Rating=0)
    assert (found["AlertLevel"], found["Flags"], found["Status"]) == (2, "CustomerIsTyping", "OfflineForm")
    refused = await client.post(BASE, json={"TopicId": desk.sales, "Rating": 5})
    assert (refused.status_code, refused.json()["ErrorCode"]) == (409, "INVALID_TRANSITION")
    assert (await client.get(f"{BASE}/2")).status_code == 404


async def test_a_repeated_request_makes_one_chat(client: httpx2.AsyncClient, house: House, desk: Desk) -> None:
    entity = {"TopicId": desk.sales, "CustomerName": "Ana", "AlertLevel": 2, "Status": "OfflineForm"}
    again = {"idempotency-key": "once"}
    first = (await client.post(BASE, json=entity, headers=again)).json()
    told = await house.told()
    repeated = await client.post(BASE, json=dict(reversed(entity.items())), headers=again)
    assert (repeated.status_code, repeated.json()) == (200, first | {"SessionKey": "********"})
    further = {
        "AlertLevel": 3,
        "Status": "InQueue",
        "Flags": 1,
        "ChatbotIsActive": True,
        "Rating": 4,
        "CustomerName": "B",
    }
    for name, value in further.items():
        other = await client.post(BASE, json=entity | {name: value}, headers=again)
        assert (other.status_code, other.json()["ErrorCode"]) == (409, "KEY_REUSED")
    assert await house.told() == told
    assert (await client.get(f"{BASE}/2")).status_code == 404


async def test_a_refused_request_makes_no_half_of_a_chat(client: httpx2.AsyncClient, house: House, desk: Desk) -> None:
    for refused in ({"Rating": 4}, {"Status": "UserLast"}, {"AlertLevel": -1}):
        entity = {"TopicId": desk.sales, **refused}
        response = await client.post(BASE, json=entity, headers={"idempotency-key": "once"})
        assert response.status_code in (400, 409)
    assert await house.told() == []
    # What was refused is not remembered.
    made = await client.post(BASE, json={"TopicId": desk.sales}, headers={"idempotency-key": "once"})
    assert (made.status_code, made.json()["ChatSessionId"]) == (200, 1)


async def test_put_replaces_what_can_be_written(client: httpx2.AsyncClient, desk: Desk) -> None:
    await make(client, desk, CustomerEmail="a@b.no", AlertLevel=2, Contact={"ContactId": 3, "Name": "C"})
    entity = (await client.get(f"{BASE}/1")).json()
    unchanged = await client.put(f"{BASE}/1", json=entity)
    assert (unchanged.status_code, unchanged.json()) == (200, entity)
    found = (await client.put(f"{BASE}/1", json={"customerPhone": "1", "Rank": 9, "WhenEnded": "x"})).json()
    assert {name: value for name, value in found.items() if value != entity[name]} == {
        "CustomerName": None,
        "CustomerEmail": None,
        "CustomerPhone": "1",
        "AlertLevel": 0,
        "Contact": None,
    }


async def test_put_without_an_entity(client: httpx2.AsyncClient, desk: Desk) -> None:
    await make(client, desk)
    for content in (b"", b"null", b"[]", b'"x"'):
        refused = await client.put(f"{BASE}/1", content=content, headers={"content-type": "application/json"})
        assert (refused.status_code, refused.json()["ErrorMessage"]) == (
            400,
            "The entity to save is not in the request body.",
        )
    assert (await client.put(f"{BASE}/9", json={})).status_code == 404


async def test_a_form(client: httpx2.AsyncClient, desk: Desk) -> None:
    form = {"TopicId": str(desk.sales), "customername": "Æ", "CustomerConsented": "true", "AlertLevel": "1"}
    found = (await client.post(BASE, data=form)).json()
    assert (found["CustomerName"], found["CustomerConsented"], found["AlertLevel"]) == ("Æ", True, 1)


@pytest.mark.parametrize("flags", [1, "1", "UserIsTyping", "useristyping", "CustomerIsTyping, UserIsTyping"])
async def test_flags_that_say_the_user_types(client: httpx2.AsyncClient, desk: Desk, flags: object) -> None:
    await make(client, desk)
    assert (await client.patch(f"{BASE}/1", json={"Flags": flags})).json()["Flags"] == "UserIsTyping"
    assert (await client.patch(f"{BASE}/1", json={"Flags": None})).json()["Flags"] == "CustomerIsTyping"


async def test_operations_of_a_patch(client: httpx2.AsyncClient, desk: Desk) -> None:
    await make(client, desk, Person={"PersonId": 5, "FullName": "Ana A"})
    patch = [
        {"op": "test", "path": "/customername", "value": "Ana"},
        {"op": "replace", "path": "CustomerName", "value": "Bea"},
        {"op": "test", "path": "/CustomerName", "value": "Bea"},
        {"op": "add", "path": "/person/email", "value": "a@b.no"},
        {"op": "remove", "path": "/Person/FullName"},
        {"op": "add", "path": "/CustomerAlias", "value": "B"},
    ]
    headers = {"content-type": "application/json-patch+json"}
    found = (await client.patch(f"{BASE}/1", json=patch, headers=headers)).json()
    assert (found["CustomerName"], found["CustomerAlias"]) == ("Bea", "B")
    assert {name: value for name, value in found["Person"].items() if value is not None} == {
        "PersonId": 5,
        "Email": "a@b.no",
    }
    for path, value in (("Rating", 1), ("Rating", False), ("CustomerConsented", 0), ("Person", {"PersonId": 5})):
        conflict = await client.patch(f"{BASE}/1", json=[{"op": "test", "path": path, "value": value}, patch[1]])
        assert (conflict.status_code, conflict.json()["ErrorCode"]) == (409, "CONFLICT"), path


@pytest.mark.both_databases
async def test_of_patches_at_once_that_test_for_the_same_one_is_done(
    client: httpx2.AsyncClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tick(clock: ManualClock) -> datetime:
        clock.advance(0.001)
        return clock.now

    await make(client, desk)
    monkeypatch.setattr(ManualClock, "__call__", tick)
    patches = [
        [{"op": "test", "path": "/AlertLevel", "value": 0}, {"op": "replace", "path": "/AlertLevel", "value": level}]
        for level in range(1, 7)
    ]
    answers = await asyncio.gather(*(client.patch(f"{BASE}/1", json=patch) for patch in patches))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]


@pytest.mark.parametrize(
    "patch",
    [
        [{"op": "move", "from": "/CustomerName", "path": "/CustomerAlias"}],
        [{"op": "replace", "path": "/CustomerName"}],
        [{"op": "replace", "path": "/Nothing", "value": 1}],
        [{"op": "replace", "path": "/Person/a/b", "value": 1}],
        [{"op": "replace", "path": 1, "value": 1}],
        ["x"],
        "x",
        {"Status": "Nowhere"},
        {"Status": None},
        {"TopicId": "x"},
        {"TopicId": 2**31},
        {"Flags": 7},
        {"Flags": "Somebody"},
        {"CustomerConsented": "perhaps"},
        {"CustomerName": 5},
        {"CustomerAlias": "x" * 65},
        {"Person": 5},
        {"Person": {"FullName": "x"}},
        {"AlertLevel": True},
        {"AlertLevel": -1},
        {"Rating": 2**40},
        {"SessionKey": "wrong"},
    ],
)
async def test_a_patch_that_is_refused_changes_nothing(client: httpx2.AsyncClient, desk: Desk, patch: object) -> None:
    await make(client, desk)
    before = (await client.get(f"{BASE}/1")).content
    refused = await client.patch(f"{BASE}/1", json=patch)
    assert (refused.status_code, refused.json()["ErrorType"]) == (400, "ArgumentException")
    assert (await client.get(f"{BASE}/1")).content == before


async def test_a_merge(client: httpx2.AsyncClient, house: House, desk: Desk) -> None:
    await make(client, desk, Person={"PersonId": 5, "FullName": "Ana A"})
    told = len(await house.told())
    patch = {"person": {"Email": "a@b.no"}, "customername": None, "Nothing": 1, "LastMessage": "x"}
    headers = {"content-type": "application/merge-patch+json"}
    found = (await client.patch(f"{BASE}/1", json=patch, headers=headers)).json()
    assert (found["CustomerName"], found["LastMessage"], found["Person"]["FullName"], found["Person"]["Email"]) == (
        None,
        None,
        "Ana A",
        "a@b.no",
    )
    assert [topic for topic, _, _ in await house.told(told)] == ["chat_session.updated"]


async def test_unmodified_since(client: httpx2.AsyncClient, desk: Desk, clock: ManualClock) -> None:
    await make(client, desk)
    clock.advance(10)
    await client.patch(f"{BASE}/1", json={"CustomerName": "Bea"})
    early = {"if-unmodified-since": "Mon, 05 Jan 2026 09:00:09 GMT"}
    refused = await client.patch(f"{BASE}/1", json={"CustomerName": "Cea"}, headers=early)
    assert (refused.status_code, refused.json()["ErrorType"]) == (412, "SoPreconditionFailedException")
    late = {"if-unmodified-since": "Mon, 05 Jan 2026 09:00:10 GMT"}
    assert (await client.patch(f"{BASE}/1", json={"CustomerName": "Cea"}, headers=late)).status_code == 200
    for no_date in ("yesterday", f"Mon, 05 Jan 2026 09:00:09 +{'9' * 20}", f"Mon, 05 Jan 2026 {'9' * 20}:00:09 GMT"):
        broken = {"if-unmodified-since": no_date}
        assert (await client.patch(f"{BASE}/1", json={}, headers=broken)).status_code == 400


async def test_delete(client: httpx2.AsyncClient, house: House, desk: Desk) -> None:
    await make(client, desk)
    response = await client.delete(f"{BASE}/1")
    assert (response.status_code, response.content) == (204, b"")
    found = (await client.get(f"{BASE}/1")).json()
    assert (found["Status"], found["TableRight"]) == ("Deleted", {"Mask": "Select", "Reason": "The chat is deleted."})
    assert found["FieldProperties"]["CustomerName"]["FieldRight"] == "Read"
    assert await topics(house.database, CHAT) == [
        "chat_session.requested",
        "attention.raised",
        "chat_session.deleted",
        "attention.cleared",
    ]
    assert (await client.delete(f"{BASE}/9")).status_code == 404


async def test_a_status_moves_along_the_state_machine(client: httpx2.AsyncClient, desk: Desk) -> None:
    await make(client, desk)
    refused = await client.patch(f"{BASE}/1", json={"Status": "UserLast"})
    assert (refused.status_code, refused.json()["ErrorCode"]) == (409, "INVALID_TRANSITION")
    assert (await client.patch(f"{BASE}/1", json={"Status": 9})).json()["Status"] == "ClosedFromQueue"


async def test_only_some_fields(client: httpx2.AsyncClient, desk: Desk) -> None:
    await make(client, desk, Person={"PersonId": 5, "FullName": "Ana A"})
    full = (await client.get(f"{BASE}/1")).json()
    found = (await client.get(f"{BASE}/1?$select=customername,STATUS,person/fullName,nothing")).json()
    assert list(found) == list(full)
    assert {name: value for name, value in found.items() if value is not None} == {
        "Person": {name: "Ana A" if name == "FullName" else None for name in full["Person"]},
        "CustomerName": "Ana",
        "Status": "InQueue",
    }


async def test_chats_of_the_caller(client: httpx2.AsyncClient, house: House, desk: Desk) -> None:
    await make(client, desk)
    await make(client, desk, TopicId=desk.open)
    await make(client, desk, CustomerName="Cea")
    await client.patch(f"{BASE}/1", json={"Status": "Closed"})
    assert [each["ChatSessionId"] for each in (await client.get(f"{BASE}/ForCurrentUser")).json()] == [3]
    async with house.client(authorization="Bearer gus") as gus:
        assert [each["ChatSessionId"] for each in (await gus.get(f"{BASE}/forcurrentuser")).json()] == [3]
    async with house.client(authorization="Bearer cy") as cy:
        assert (await cy.get(f"{BASE}/ForCurrentUser")).json() == []


async def test_messages(client: httpx2.AsyncClient, house: House, desk: Desk, clock: ManualClock) -> None:
    await make(client, desk)
    said = [
        {"type": "ToUser", "message": "Hi <you>", "author": "Ana"},
        {"Type": "ToCustomer", "Message": "Which?", "SpecialType": "Options", "SpecialParam": '["a","b"]'},
        {"Message": "Hello"},
    ]
    sent = []
    for body in said:
        response = await client.post(f"{BASE}/1/Messages", json=body)
        assert response.status_code == 200
        sent.append(response.json())
        clock.advance(1)
    assert sent == [
        {
            "ChatMessageId": 1,
            "ChatSessionId": 1,
            "Type": "ToUser",
            "Message": "Hi <you>",
            "Author": "Ana",
            "ReadByCustomer": 0,
            "SpecialType": "None",
            "SpecialParam": None,
            "WhenPosted": "2026-01-05T09:00:00.0000000+00:00",
        },
        sent[0]
        | {
            "ChatMessageId": 2,
            "Type": "ToCustomer",
            "Message": "Which?",
            "Author": None,
            "SpecialType": "Options",
            "SpecialParam": '["a","b"]',
            "WhenPosted": "2026-01-05T09:00:01.0000000+00:00",
        },
        sent[0]
        | {
            "ChatMessageId": 3,
            "Type": "ToCustomer",
            "Message": "Hello",
            "Author": "Bo",
            "WhenPosted": "2026-01-05T09:00:02.0000000+00:00",
        },
    ]
    assert (await client.get(f"{BASE}/1/Messages")).json() == sent
    assert (await client.get(f"{BASE}/1/Messages?after=1")).json() == sent[1:]
    assert [each.author for each in await messages(house.database, CHAT)] == ["CUSTOMER", "BOT", "USER"]
    assert (await stored(house.database, CHAT)).assignee_id == 2
    text = (await client.post(f"{BASE}/1/Transcript")).json()
    assert text == (
        "[2026-01-05 09:00:00] Ana: Hi <you>\n[2026-01-05 09:00:01] : Which?\n[2026-01-05 09:00:02] Bo: Hello"
    )
    html = (await client.post(f"{BASE}/1/Transcript?html=True")).json()
    assert html.startswith("<p>[2026-01-05 09:00:00] Ana: Hi &lt;you&gt;</p>\n<p>")
    for path in ("9/Messages", "x/Messages"):
        assert (await client.get(f"{BASE}/{path}")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": ""},
        {"message": 5},
        {"message": "x", "type": "Nobody"},
        {"message": "x", "specialType": 3},
        {"message": "x", "specialParam": "x" * 256},
        {"message": "x", "author": ["x"]},
    ],
)
async def test_a_message_that_is_refused(
    client: httpx2.AsyncClient, house: House, desk: Desk, body: dict[str, object]
) -> None:
    await make(client, desk)
    refused = await client.post(f"{BASE}/1/Messages", json=body)
    assert (refused.status_code, refused.json()["ErrorType"]) == (400, "ArgumentException")
    assert await messages(house.database, CHAT) == []
