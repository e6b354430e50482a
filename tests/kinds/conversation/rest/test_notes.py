"""Notes through the contract, under both spellings of their path."""

import httpx2
import pytest

from tests.conftest import ManualClock
from tests.kinds.conversation.conftest import Desk
from tests.kinds.conversation.rest.conftest import BASE, ONE, hear
from tests.kinds.rest import House

pytestmark = [pytest.mark.anyio, pytest.mark.one_database_each]


@pytest.mark.parametrize("path", [f"{BASE}/conversation/1/notes", f"{ONE}/notes"])
async def test_the_life_of_a_note(opened: httpx2.AsyncClient, house: House, clock: ManualClock, path: str) -> None:
    note = {
        "id": 1,
        "conversation_id": 1,
        "text": "Angry",
        "created_at": "2026-01-05T09:00:00Z",
        "updated_at": "2026-01-05T09:00:00Z",
    }
    assert (await opened.post(path, json={"text": "Angry"})).json() == note
    clock.advance(60)
    changed = note | {"text": "Calm", "updated_at": "2026-01-05T09:01:00Z"}
    assert (await opened.patch(f"{path}/1", json={"text": "Calm", "id": 9})).json() == changed
    assert (await opened.patch(f"{path}/1", json={})).json() == changed
    assert (await opened.get(f"{path}/1")).json() == {"data": changed}
    assert (await opened.get(ONE)).json()["data"]["latest_note"] == changed
    second = (await opened.post(path, json={"text": "Two"})).json()
    body = (await opened.get(path)).json()
    assert (body["data"], body["meta"]["total"]) == ([second, changed], 2)
    assert body["meta"]["path"] == f"http://test{path}"
    assert (await opened.get(path, params={"per_page": 1, "page": 2})).json()["data"] == [changed]
    deleted = await opened.delete(f"{path}/2")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await opened.get(ONE)).json()["data"]["latest_note"] == changed
    assert [topic for topic, _, _ in await house.told()][-4:] == [
        *("conversation.note_added", "conversation.note_edited", "conversation.note_added"),
        "conversation.note_deleted",
    ]


async def test_notes_of_other_conversations_are_not_found(opened: httpx2.AsyncClient, house: House, desk: Desk) -> None:
    await house.database.command(hear, desk.wim, desk.widget, "Hi")
    await opened.post(f"{BASE}/conversation/2/notes", json={"text": "Two"})
    path = f"{BASE}/conversation/1/notes/1"
    for response in (await opened.get(path), await opened.patch(path, json={"text": "x"}), await opened.delete(path)):
        assert (response.status_code, response.json()) == (404, {"message": "There is no note 1."})
    assert (await opened.get(f"{BASE}/conversation/2/notes/1")).json()["data"]["text"] == "Two"


async def test_a_repeated_request_makes_one_note(opened: httpx2.AsyncClient, house: House) -> None:
    path, again = f"{BASE}/conversation/1/notes", {"idempotency-key": "once"}
    first = (await opened.post(path, json={"text": "Angry"}, headers=again)).json()
    told = await house.told()
    assert (await opened.post(path, json={"text": "Angry"}, headers=again)).json() == first
    assert (await opened.post(path, json={"text": "Calm"}, headers=again)).status_code == 409
    assert await house.told() == told
