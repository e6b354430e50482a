"""An exchange in both directions, as docs/connections.md has it: deliveries in, replies by a destination."""

import asyncio
import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.core.clock import utc_now
from tests.connections.conftest import signed
from tests.destinations.receiving import Receiver
from tests.destinations.running import Running
from tests.kinds.conftest import BO
from tests.serving import PATIENCE

pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).parents[2] / "docs" / "connections.md").read_text(encoding="utf-8")
(MUTATION,) = (each for each in re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL) if "createDestination" in each)
CONVERSATION = "{ conversation(conversationId: 1) { id upstream { key } messages { nodes { id text status } } } }"


async def conversation(app: Running, texts: int, status: str = "") -> Any:
    """The conversation, once it has so many messages and the last of them has this status."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = (await app.read(CONVERSATION))["conversation"]
            messages = [] if found is None else found["messages"]["nodes"]
            if len(messages) == texts and status in ("", messages[-1]["status"]):
                return found
            await asyncio.sleep(0.05)


async def test_exchange_goes_both_ways(app: Running, receiver: Receiver) -> None:
    new = {"system": "HTTP", "name": "Shop"}
    made = await app.do("createConnection", new, "connection { id hookPath settings } secret")

    async def offer(body: object, key: str = "evt-1") -> None:
        text = orjson.dumps(body).decode()
        async with app.client() as client:
            path, headers = made["connection"]["hookPath"], signed(made["secret"], text, key)
            answer = await client.post(path, content=text, headers=headers)
        assert answer.status_code == 200, answer.text

    account = made["connection"]["settings"]["channelAgentId"]
    document = MUTATION.replace("https://shop.example.com/replies", receiver.url).replace("cha_1", account)
    subscribed = (await app.answer(document))["data"]["createDestination"]
    assert subscribed["errors"] == []

    asks = {"key": "m-1", "author": "CUSTOMER", "sent_at": utc_now().isoformat(), "text": "Where is my parcel?"}
    await offer({"customer": {"key": "c-17", "name": "Ana"}, "messages": [asks]})
    found = await conversation(app, 1)
    assert found["upstream"] == {"key": "c-17"}
    content = {"text": {"content": "On its way."}}
    await app.do("sendMessage", {"id": found["id"], "content": content}, "message { id }", BO)

    heard, reply = [each.verify(subscribed["secret"])["data"]["messageAdded"] for each in await receiver.has(2)]
    assert (heard["message"]["author"], reply["message"]["author"]) == ("CUSTOMER", "USER")
    assert (reply["message"]["status"], reply["message"]["text"]) == ("CREATED", "On its way.")
    assert reply["interaction"] == {"upstream": {"key": "c-17"}}

    sent = {"id": reply["message"]["id"], "status": "DELIVERED"}
    await offer({"customer": {"key": "c-17"}, "statuses": [sent]}, "evt-2")
    await conversation(app, 2, "DELIVERED")
