"""The examples of the contract's two pages, sent to a real server."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from app.core.ids import GlobalId
from app.interactions.service.messages import send_message
from app.kinds.session import service
from app.storage.work import Work
from tests.conftest import ManualClock
from tests.kinds.conftest import BO, store_customer, store_users
from tests.kinds.golden import golden, ordered, send
from tests.kinds.rest import housed, serving

pytestmark = pytest.mark.anyio

# A request comes without an id of its own, and takes one.
REQUEST = "00000000-0000-7000-8000-00000000000f"
NEWER, OLDER = golden(Path(__file__).with_name("golden"))


class PageIds:
    """Gives out the keys that a page shows, in the order in which they are asked for."""

    def __init__(self, *uuids: str) -> None:
        self._uuids: Iterator[str] = iter(uuids)

    def uuid(self) -> str:
        return next(self._uuids)

    def key(self, prefix: str) -> str:
        return f"{prefix}_{next(self._uuids)}"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def people(customer: str) -> Callable[[Work], None]:
    def fill(work: Work) -> None:
        store_users(work)
        store_customer(work, customer_key=customer, system="SESSION", phone_number="+4711111111")

    return fill


async def test_the_newer_page(database_url: str) -> None:
    page = NEWER.response["body"]
    (message,), (suggestion,) = page["messages"], page["suggested_messages"]
    clock = ManualClock(at(page["created_at"][:-1]))
    ids = PageIds(page["id"], REQUEST, suggestion["id"], *[REQUEST] * 3)
    async with housed(database_url, clock, ids) as house, serving(house) as url:
        await house.database.command(people(page["customer_id"]))
        await house.database.command(service.open_for_customer, BO, 1)
        clock.now = at(message["created_at"][:-1])
        sent = {"message_key": message["id"], "sent_at": at(message["sent_at"][:-1])}
        text = {"type": "text", "content": message["content"]}
        await house.database.command(send_message, BO, GlobalId("ses", 1), text, fields=sent)
        clock.now = at(page["updated_at"][:-1])
        names = {"{CUSTOMER_ID}": page["customer_id"], "<TOKEN>": "bo"}
        answer = await send(NEWER, url, names)
        assert (answer.status, ordered(answer.json())) == (200, ordered(page))
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        async with httpx2.AsyncClient(base_url=url, headers={"Authorization": "Token bo"}) as client:
            for key in ("current", page["id"]):
                read = await client.get(f"/v1/customers/{page['customer_id']}/sessions/{key}")
                assert read.content == answer.content
        refused = await send(NEWER, url, names, as_printed=True)
        assert (refused.status, refused.json()["error"]["type"]) == (400, "bad_request")


async def test_the_older_page(database_url: str) -> None:
    page = OLDER.response["body"]
    clock = ManualClock(at(page["created_at"][:-1]))
    ids = PageIds(page["id"], "4bada73e-14f2-4306-9752-51b4008251a4", REQUEST)
    async with housed(database_url, clock, ids) as house, serving(house) as url:
        await house.database.command(people(page["customer_id"]))
        await house.database.command(service.open_for_customer, BO, 1)
        # "At least one message must have been created": one of the last two hours makes it the current one.
        clock.now = at("2017-04-21T16:30:00")
        await house.database.command(send_message, BO, GlobalId("ses", 1), {"type": "text", "content": "Hi"})
        clock.now = at(page["updated_at"][:-1])
        names = {"{CUSTOMER_ID}": page["customer_id"], "{SESSION_ID}": page["id"], "<TOKEN>": "bo"}
        answer = await send(OLDER, url, names)
        body = answer.json()
        assert [each["content"] for each in body.pop("messages")] == ["Hi"]
        assert body.pop("suggested_messages") == []
        assert (answer.status, ordered(body)) == (200, ordered(page))
