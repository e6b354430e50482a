from typing import Any

import httpx2
import pytest

from tests.kinds.chat_session.conftest import Desk
from tests.kinds.rest import House

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

HEADERS = {"accept": "application/json, text/plain, */*", "content-type": "application/json"}


async def call(client: httpx2.AsyncClient, name: str, body: Any = None) -> Any:
    """Call as the client library does: what has no body sends null."""
    response = await client.post(f"/api/v1/Agents/Chat/{name}", json=body, headers=HEADERS)
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_chat_by_the_client_librarys_calls(client: httpx2.AsyncClient, house: House, desk: Desk) -> None:
    blank = await call(client, "CreateDefaultChatSessionEntity")
    assert (blank["ChatSessionId"], blank["Status"]) == (0, "Invalid")
    made = await call(client, "SaveChatSessionEntity", blank | {"TopicId": desk.sales, "customerName": "Ana"})
    assert (made["ChatSessionId"], made["Status"], made["CustomerName"]) == (1, "InQueue", "Ana")
    assert "_Links" not in made
    found = await call(client, "GetChatSessionEntity?chatSessionEntityId=1")
    assert found == made | {"SessionKey": "********"}
    assert await call(client, "GetChatSessionEntity?chatSessionEntityId=9") is None
    assert [each["ChatSessionId"] for each in await call(client, "ChatSessionsForUser")] == [1]
    assert (await call(client, "PickUpFirstChatSession"))["User"]["Name"] == "bo"
    assert await call(client, "PickUpFirstChatSession") is None
    chat = {"chatSessionId": 1}
    assert await call(client, "PickUpChatSession", chat) is None
    moving = await call(client, "TransferChatSession", chat | {"toAssociate": "eve"})
    assert moving["TransferTo"]["Name"] == "eve"
    async with house.client(authorization="SOTicket eve") as eve:
        assert (await call(eve, "RejectChatSessionTransfer", chat))["TransferTo"] is None
        await call(client, "TransferChatSession", chat | {"toAssociate": 5})
        assert (await call(eve, "AcceptChatSessionTransfer", chat))["User"]["AssociateId"] == 5
        assert (await call(eve, "ResetChatSession", chat))["Status"] == "InQueue"
        assert (await call(eve, "PickUpChatSession", chat))["User"]["Name"] == "eve"
    message = {"type": "ToCustomer", "message": "hi", "author": "Bot", "specialType": "BotMessage"}
    posted = await call(client, "AddChatMessage", chat | {"message": message})
    assert (posted["Author"], posted["SpecialType"]) == ("Bot", "BotMessage")
    assert (await call(client, "GetChatMessages", chat | {"after": 0}))[-1] == posted
    assert await call(client, "GetChatMessages", chat | {"after": posted["ChatMessageId"]}) == []
    assert (await call(client, "GetChatTranscript", chat | {"html": False})).endswith(" Bot: hi")
    saved = await call(client, "SaveChatSessionEntity", {"chatSessionId": 1, "status": "Closed", "rating": 4})
    assert (saved["Status"], saved["Rating"], saved["CustomerName"]) == ("Closed", 4, "Ana")
    made = await call(client, "CreateChatSessionForTopic", {"chatTopicId": desk.form})
    assert (made["ChatSessionId"], made["Status"]) == (2, "PreChatForm")
    path = "/api/v1/Agents/Chat/DeleteChatSessionEntity?ChatSessionEntityId=2"
    response = await client.post(path, content=b"null", headers=HEADERS)
    assert (response.status_code, response.content) == (204, b"")
    assert (await call(client, "GetChatSessionEntity?chatSessionEntityId=2"))["Status"] == "Deleted"


async def test_an_entity_as_the_client_library_sends_it(client: httpx2.AsyncClient, desk: Desk) -> None:
    await call(client, "CreateChatSessionForTopic", {"chatTopicId": desk.sales})
    body = {
        "chatSessionId": 1,
        "topicId": desk.open,
        "customerName": "X",
        "customerEmail": None,
        "flags": 1,
        "whenEnded": "2024-01-15T10:30:00.000Z",
        "transferTo": {"associateId": 5},
        "status": "InQueue",
    }
    found = await call(client, "SaveChatSessionEntity", body)
    shown = ("TopicId", "CustomerName", "Flags", "WhenEnded", "TransferTo")
    assert [found[name] for name in shown] == [desk.open, "X", "UserIsTyping", "0001-01-01T00:00:00", None]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("SaveChatSessionEntity", {"chatSessionId": 9, "status": "Closed"}, 404),
        ("SaveChatSessionEntity", {"chatSessionId": "x"}, 400),
        ("SaveChatSessionEntity", None, 400),
        ("GetChatSessionEntity", None, 400),
        ("GetChatSessionEntity?chatSessionEntityId=x", None, 400),
        ("DeleteChatSessionEntity?ChatSessionEntityId=9", None, 404),
        ("PickUpChatSession", {}, 400),
        ("TransferChatSession", {"chatSessionId": 9}, 400),
        ("CreateChatSessionForTopic", {"chatTopicId": 99}, 404),
        ("CreateChatSessionForTopic", {}, 400),
        ("AddChatMessage", {"chatSessionId": 9, "message": "x"}, 400),
        ("GetChatMessages", {"chatSessionId": 9}, 404),
        ("Nothing", {}, 404),
    ],
)
async def test_calls_that_are_refused(client: httpx2.AsyncClient, path: str, body: object, status: int) -> None:
    refused = await client.post(f"/api/v1/Agents/Chat/{path}", json=body)
    found = refused.json()
    assert (refused.status_code, found["Error"]) == (status, True)
    assert found["Message"] == found["ErrorMessage"]
