import httpx2
import pytest

from app.core.ids import GlobalId
from tests.kinds.chat_session.conftest import Desk, event_count, stored
from tests.kinds.chat_session.rest.test_sessions import make
from tests.kinds.rest import House

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]

BASE = "/api/v1/ChatSession"
CHAT = GlobalId("chs", 1)


async def test_pick_up_by_number(client: httpx2.AsyncClient, house: House, desk: Desk) -> None:
    await make(client, desk)
    found = (await client.post(f"{BASE}/1/Pickup")).json()
    assert (found["Status"], found["Rank"], found["LastMessage"]) == ("UserLast", 1, "Welcome to sales!")
    assert found["User"] == {
        "AssociateId": 2,
        "Name": "bo",
        "PersonId": 0,
        "Rank": 0,
        "Tooltip": "Bo",
        "Type": "InternalAssociate",
        "GroupIdx": 0,
        "FullName": "Bo",
        "FormalName": "Bo",
        "Deleted": False,
        "EjUserId": 2,
        "UserName": "bo",
    }
    assert "_Links" not in found
    told = await event_count(house.database)
    async with house.client(authorization="Bearer eve") as eve:
        for caller in (client, eve):
            again = await caller.post(f"{BASE}/1/Pickup")
            assert (again.status_code, again.content) == (200, b"null")
    assert await event_count(house.database) == told
    assert (await client.post(f"{BASE}/9/Pickup")).status_code == 404


async def test_who_may_not_respond_is_told_so(client: httpx2.AsyncClient, house: House, desk: Desk) -> None:
    await make(client, desk)
    for name in ("gus", "cy"):
        async with house.client(authorization=f"Bearer {name}") as other:
            refused = await other.post(f"{BASE}/1/Pickup")
            assert (refused.status_code, refused.json()["ErrorCode"]) == (403, "FORBIDDEN")


async def test_pick_up_the_first(client: httpx2.AsyncClient, desk: Desk) -> None:
    nothing = await client.post(f"{BASE}/Pickup")
    assert (nothing.status_code, nothing.content) == (200, b"null")
    await make(client, desk)
    await make(client, desk)
    found = [(await client.post(f"{BASE}/pickup")).json()["ChatSessionId"] for _ in range(2)]
    assert found == [1, 2]


@pytest.mark.parametrize("to", ["eve", "EVE", "5"])
async def test_a_transfer_is_accepted(client: httpx2.AsyncClient, house: House, desk: Desk, to: str) -> None:
    await make(client, desk)
    await client.post(f"{BASE}/1/Pickup")
    found = (await client.post(f"{BASE}/1/TransferTo/{to}")).json()
    assert (found["User"]["Name"], found["TransferTo"]["Name"]) == ("bo", "eve")
    told = await event_count(house.database)
    for nothing in ("AcceptTransfer", "RejectTransfer", "TransferTo/eve"):
        response = await client.post(f"{BASE}/1/{nothing}")
        assert (response.status_code, response.json()) == (200, found)
    assert await event_count(house.database) == told
    async with house.client(authorization="Bearer eve") as eve:
        taken = (await eve.post(f"{BASE}/1/AcceptTransfer")).json()
        assert (taken["User"]["Name"], taken["TransferTo"]) == ("eve", None)
        for nothing in ("AcceptTransfer", "RejectTransfer"):
            assert (await eve.post(f"{BASE}/1/{nothing}")).json() == taken
    assert (await client.post(f"{BASE}/1/TransferTo/fay")).json()["User"]["Name"] == "eve"


async def test_a_transfer_is_rejected(client: httpx2.AsyncClient, house: House, desk: Desk) -> None:
    await make(client, desk)
    await client.post(f"{BASE}/1/Pickup")
    await client.post(f"{BASE}/1/TransferTo/eve")
    async with house.client(authorization="Bearer eve") as eve:
        found = (await eve.post(f"{BASE}/1/RejectTransfer")).json()
    assert (found["User"]["Name"], found["TransferTo"]) == ("bo", None)


async def test_transfers_that_are_refused(client: httpx2.AsyncClient, house: House, desk: Desk) -> None:
    await make(client, desk)
    await client.post(f"{BASE}/1/Pickup")
    statuses = {to: (await client.post(f"{BASE}/1/TransferTo/{to}")).status_code for to in ("fay", "gus", "bo", "zoe")}
    assert statuses == {"fay": 409, "gus": 409, "bo": 400, "zoe": 404}
    async with house.client(authorization="Bearer cy") as cy:
        assert (await cy.post(f"{BASE}/1/TransferTo/eve")).status_code == 403
    assert (await client.post(f"{BASE}/9/TransferTo/eve")).status_code == 404
    assert (await stored(house.database, CHAT)).transfer_to_id is None


async def test_reset(client: httpx2.AsyncClient, house: House, desk: Desk) -> None:
    await make(client, desk)
    await client.post(f"{BASE}/1/Pickup")
    async with house.client(authorization="Bearer eve") as eve:
        refused = await eve.post(f"{BASE}/1/Reset")
        assert (refused.status_code, refused.json()["ErrorCode"]) == (409, "ALREADY_CLAIMED")
    found = (await client.post(f"{BASE}/1/Reset")).json()
    assert (found["Status"], found["User"]) == ("InQueue", None)
