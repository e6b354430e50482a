"""Two Switchboards, the second attached to the first over HTTP."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from app.interactions.service.messages import receive_message
from tests.conftest import ManualClock
from tests.destinations.running import running
from tests.kinds.conftest import BO
from tests.kinds.conversation.conftest import furnish
from tests.kinds.rest import housed, serving
from tests.serving import PATIENCE

pytestmark = pytest.mark.anyio

CONVERSATION = "{ conversation(conversationId: 1) { id state messages { nodes { text upstreamState } } } }"


async def until(read: Callable[[], Coroutine[Any, Any, Any]], texts: list[str], state: str) -> Any:
    """The conversation, once it has these messages and is in this state."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await read()
            nodes = [] if found is None else found["messages"]["nodes"]
            if [each["text"] for each in nodes] == texts and found["state"] == state:
                return found
            await asyncio.sleep(0.05)


async def test_what_is_done_in_one_is_seen_in_the_other(
    database_url: str, tmp_path: Path, sqlite_template: Path, clock: ManualClock
) -> None:
    path = tmp_path / "bot.db"
    await asyncio.to_thread(shutil.copy, sqlite_template, path)
    async with (
        housed(f"sqlite:///{path}", clock) as bot,
        serving(bot) as address,
        running(database_url) as desk,
        bot.client() as client,
    ):
        there = await bot.database.command(furnish)

        async def in_bot() -> Any:
            path = "/third-party/v1/conversations/1"
            found = (await client.get(path)).json()["data"]
            messages = (await client.get(f"{path}/messages")).json()["data"]
            texts = [{"text": each["contents"][0]["content"]} for each in reversed(messages)]
            return {"state": found["status"], "messages": {"nodes": texts}}

        async def in_desk() -> Any:
            return (await desk.read(CONVERSATION))["conversation"]

        new = {"system": "VOICEBOT", "name": "Bot", "address": f"{address}/third-party/v1", "credential": "bo"}
        settings = {"pollSeconds": 0.2, "users": {"bo": BO.user_id}}
        await desk.do("createConnection", {**new, "settings": settings}, "connection { id }")
        target = {"kind": "conversation", "customer_id": there.wim, "channel_agent_id": there.widget}
        await bot.database.command(receive_message, BO, target, [{"type": "text", "content": "Hello?"}])
        found = await until(in_desk, ["Hello?"], "OPEN")
        answer = {"id": found["id"], "content": {"text": {"content": "Yes?"}}}
        await desk.do("sendMessage", answer, "message { id }", BO)
        await desk.do("closeInteraction", {"id": found["id"]}, "interaction { id }", BO)
        await until(in_bot, ["Hello?", "Yes?"], "done")
        found = await until(in_desk, ["Hello?", "Yes?"], "CLOSED")
        async with asyncio.timeout(PATIENCE):
            while {each["upstreamState"] for each in found["messages"]["nodes"]} != {"SYNCED"}:
                await asyncio.sleep(0.05)
                found = await in_desk()


async def test_webhook_that_says_nothing_has_the_list_read_at_once(
    database_url: str, tmp_path: Path, sqlite_template: Path, clock: ManualClock
) -> None:
    path = tmp_path / "bot.db"
    await asyncio.to_thread(shutil.copy, sqlite_template, path)
    async with (
        housed(f"sqlite:///{path}", clock) as bot,
        serving(bot) as address,
        running(database_url) as desk,
        desk.client() as client,
    ):
        there = await bot.database.command(furnish)

        async def in_desk() -> Any:
            return (await desk.read(CONVERSATION))["conversation"]

        new = {"system": "VOICEBOT", "name": "Bot", "address": f"{address}/third-party/v1", "credential": "bo"}
        settings = {"pollSeconds": 3_600, "users": {"bo": BO.user_id}}
        made = await desk.do("createConnection", {**new, "settings": settings}, "connection { id hookPath } secret")
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await desk.read("{ connections { nodes { state } } }")
                if found["connections"]["nodes"] == [{"state": "CONNECTED"}]:
                    break
                await asyncio.sleep(0.05)
        target = {"kind": "conversation", "customer_id": there.wim, "channel_agent_id": there.widget}
        await bot.database.command(receive_message, BO, target, [{"type": "text", "content": "Hello?"}])
        headers = {"authorization": f"Bearer {made['secret']}"}
        answer = await client.post(made["connection"]["hookPath"], content=b'{"event": "ping"}', headers=headers)
        assert answer.status_code == 200
        await until(in_desk, ["Hello?"], "OPEN")
