import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from app.kinds.chat_session.rest import listing
from app.kinds.chat_session.rest.wire import Wire
from app.rest.call import ROWS_IN_TURN
from tests.conftest import ManualClock
from tests.kinds.chat_session.conftest import Desk, furnish
from tests.kinds.chat_session.rest.test_sessions import BASE, make
from tests.kinds.rest import House, housed

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def client(module_database_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Of an application for all tests of the module: none of them changes anything."""
    clock = ManualClock()
    async with housed(module_database_url, clock) as house, house.client() as opened:
        await have_chats(opened, await house.database.command(furnish), clock)
        told = await house.told()
        yield opened
        assert await house.told() == told


async def have_chats(client: httpx2.AsyncClient, desk: Desk, clock: ManualClock) -> None:
    """Three chats, an hour apart: the second is Bo's with a rating, the third is about O'Hara's contact 7."""
    await make(client, desk)
    clock.advance(3600)
    await make(client, desk, Person={"PersonId": 5, "FullName": "Åse B"})
    await client.post(f"{BASE}/2/Messages", json={"Type": "ToUser", "Message": "100% O'Hara"})
    clock.advance(90)
    await client.post(f"{BASE}/2/Pickup")
    await client.patch(f"{BASE}/2", json={"Rating": 4})
    clock.advance(3510)
    await make(client, desk, TopicId=desk.open, Contact={"ContactId": 7, "Name": "C"})
    await client.patch(f"{BASE}/3", json={"Status": "Closed"})


async def listed(client: httpx2.AsyncClient, **query: object) -> list[int]:
    response = await client.get(BASE, params={f"${name}": str(value) for name, value in query.items()})
    assert response.status_code == 200, response.text
    return [row["PrimaryKey"] for row in response.json()["value"]]


async def test_rows_of_the_columns_asked_for(client: httpx2.AsyncClient) -> None:
    names = "chatsessionid,STATUS,agent,timeInQueue,duration,chatTopic/name,person/fullName,whenStarted,contactId"
    response = await client.get(BASE, params={"$select": names, "$filter": "chatSessionId eq 2"})
    assert response.json() == {
        "odata.metadata": "http://test/api/v1/archive$metadata",
        "odata.nextLink": None,
        "value": [
            {
                "PrimaryKey": 2,
                "EntityName": "chat",
                "chatSessionId": 2,
                "status": "UserLast",
                "agent": "Bo",
                "timeInQueue": "00:01:30",
                "duration": None,
                "chatTopic/name": "Sales",
                "person/fullName": "Åse B",
                "whenStarted": "2026-01-05T10:01:30.0000000+00:00",
                "contactId": None,
            }
        ],
    }
    every = (await client.get(BASE)).json()["value"]
    assert [len(row) for row in every] == [29, 29, 29]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("chatSessionId gt 1", [2, 3]),
        ("chatSessionId ge 2 and chatSessionId le 2", [2]),
        ("chatSessionId lt 2 or chatSessionId eq 3", [1, 3]),
        ("rating eq 4", [2]),
        ("rating ne 4", [1, 3]),
        ("rating eq null", [1, 3]),
        ("rating ne null", [2]),
        ("status eq 'InQueue'", [1]),
        ("status ne 4", [2, 3]),
        ("STATUS EQ 'closedfromqueue'", [3]),
        ("status oneOf (4,11)", [1, 3]),
        ("status notOneOf (4) and chatSessionId lt 3", [2]),
        ("agent eq 'Bo'", [2]),
        ("associateId eq 2", [2]),
        ("contactId eq 7", [3]),
        ("person/personId eq 5 and contains(person/fullName, 'se ')", [2]),
        ("startswith(person/fullName, 'Å')", [2]),
        ("contains(lastMessage, 'Welcome')", [2]),
        ("contains(firstMessage, '100%')", [2]),
        ("contains(firstMessage, '%1')", []),
        ("contains(firstMessage, '')", [2]),
        ("contains(firstMessage, 'O''Hara')", [2]),
        ("contains(firstMessage, 'o''hara')", []),
        ("startswith(firstMessage, '100')", [2]),
        ("chatTopic/name eq 'Open'", [3]),
        ("whenRequested ge 2026-01-05T10:00:00Z", [2, 3]),
        ("whenRequested lt datetime'2026-01-05T11:00:00+01:00'", [1]),
        ("whenStarted eq null and (whenEnded ne null or chatSessionId eq 2)", [3]),
        ("whenRequested gt 0001-01-01 and whenRequested lt 9999-12-31T23:59:59.999999Z", [1, 2, 3]),
        ("whenRequested eq 0001-01-01T00:00:00Z", []),
        ("queueLength eq 1", [1, 3]),
        ("agent eq 'x'' or 1 eq 1 --'", []),
    ],
)
async def test_conditions(client: httpx2.AsyncClient, condition: str, found: list[int]) -> None:
    assert await listed(client, filter=condition) == found


async def test_orders(client: httpx2.AsyncClient) -> None:
    assert await listed(client, orderBy="chatSessionId desc") == [3, 2, 1]
    assert await listed(client, orderby="rating") == [1, 3, 2]
    assert await listed(client, orderBy="rating desc, whenRequested DESC") == [2, 3, 1]


async def test_pages(client: httpx2.AsyncClient) -> None:
    query = {"$top": "2", "$orderBy": "chatSessionId desc", "$filter": "status ne 'Invalid'", "$select": "rating"}
    first = (await client.get(BASE, params=query)).json()
    assert [row["PrimaryKey"] for row in first["value"]] == [3, 2]
    second = (await client.get(first["odata.nextLink"])).json()
    assert (second["value"], second["odata.nextLink"]) == (
        [{"PrimaryKey": 1, "EntityName": "chat", "rating": None}],
        None,
    )
    assert await listed(client, top=0) == []
    assert await listed(client, top=5_000, skip=1) == [2, 3]


@pytest.mark.parametrize(
    "query",
    [
        {"$filter": "nothing eq 1"},
        {"$filter": "rating"},
        {"$filter": "rating eq"},
        {"$filter": "rating like 4"},
        {"$filter": "rating eq 'x'"},
        {"$filter": "rating eq 1.5"},
        {"$filter": "rating gt null"},
        {"$filter": "rating eq 4 4"},
        {"$filter": "(rating eq 4"},
        {"$filter": "contains(rating, '4')"},
        {"$filter": "contains(agent 'x')"},
        {"$filter": "status eq 'Nowhere'"},
        {"$filter": "status gt 'Closed'"},
        {"$filter": "status oneOf ()"},
        {"$filter": "status oneOf (4"},
        {"$filter": "whenEnded eq 'yesterday'"},
        {"$filter": "whenEnded lt 9999-12-31T23:59:59-01:00"},
        {"$filter": "whenEnded gt 0001-01-01T00:00:00+01:00"},
        {"$filter": "whenEnded gt 10000-01-01"},
        {"$filter": "agent eq 'x"},
        {"$filter": "agent eq 5"},
        {"$filter": "; drop table chat_session"},
        {"$filter": "(" * 30 + "rating eq 1" + ")" * 30},
        {"$filter": " or ".join(["rating eq 1"] * 60)},
        {"$filter": "agent eq '" + "x" * 4_000 + "'"},
        {"$orderBy": "nothing"},
        {"$orderBy": "rating sideways"},
        {"$orderBy": "rating desc desc"},
        {"$orderBy": ",".join(["rating"] * 6)},
        {"$orderBy": "rating,"},
        {"$select": "rating,nothing"},
        {"$top": "-1"},
        {"$skip": "x"},
    ],
)
async def test_what_cannot_be_read(client: httpx2.AsyncClient, query: dict[str, Any]) -> None:
    refused = await client.get(BASE, params=query)
    assert (refused.status_code, refused.json()["ErrorType"]) == (400, "ArgumentException")


async def test_lists_are_json(client: httpx2.AsyncClient) -> None:
    assert (await client.get(f"{BASE}?$format=JSON")).status_code == 200
    for other in ("XML", ""):
        assert (await client.get(f"{BASE}?$format={other}")).status_code == 406


async def test_rows_are_written_in_several_turns_of_the_loop(
    house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn, turns = 0, list[int]()

    async def count() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    def write(row: Any, _wire: Wire) -> object:
        turns.append(turn)
        return row["status"]

    monkeypatch.setitem(listing._COLUMNS, "status", write)
    async with house.client() as client:
        for _ in range(ROWS_IN_TURN + 1):
            await make(client, desk)
        counting = asyncio.create_task(count())
        try:
            await listed(client)
        finally:
            counting.cancel()
    assert sorted(Counter(turns).values()) == [1, ROWS_IN_TURN]
